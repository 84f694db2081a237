"""Roles from words alone: right calls among scripts of two-party calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.report import Figure, write
from tests.services.roles.scripts import is_right, read_scripts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCRIPTS = {
    "before": "written before the scorer",
    "between": "written after its first version",
    "after": "written after it was finished",
    "other_languages": "in other languages",
}
TARGET = 9.0


def measure() -> list[Figure]:
    right = {told: sum(map(is_right, read_scripts(file))) for file, told in SCRIPTS.items()}
    figures = [
        Figure(f"calls with right roles, {told}", count, "of 10", TARGET, at_most=False)
        for told, count in right.items()
    ]

    def draw(axes: Axes) -> None:
        axes.barh(list(right), list(right.values()), color="#3b6ea8")
        axes.axvline(TARGET, color="#b04a3a", linewidth=1)
        axes.set_xlabel("calls with right roles, of 10 (line: target)")

    write("roles", figures, draw)
    return figures
