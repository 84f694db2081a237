"""Results of a measurement: a JSON file with the machine it was taken on, and a picture beside it."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.config import available_cores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RESULTS = Path(__file__).parent / "results"
MOST_FOREIGN_LOAD = 0.5
"""Cores."""


@dataclass(frozen=True)
class Figure:
    """One measured value against its target; ``at_most`` says on which side the target lies."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_most: bool = True

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target


def write(
    name: str, figures: list[Figure], draw: Callable[[Axes], None], details: dict[str, Any] | None = None
) -> None:
    """Write ``results/<name>.json`` and ``.png``, and print the figures."""
    RESULTS.mkdir(exist_ok=True)
    result = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": available_cores(),
            "processor": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version(),
            "load_average": os.getloadavg()[0],
        },
        "figures": [{**asdict(figure), "met": figure.met} for figure in figures],
        "details": details or {},
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    _picture(RESULTS / f"{name}.png", draw)
    for figure in figures:
        print(line(figure))


def line(figure: Figure) -> str:
    sign = {True: "met   ", False: "MISSED", None: "      "}[figure.met]
    limit = (
        "" if figure.target is None else f"  (target {'<=' if figure.at_most else '>='} {figure.target:g})"
    )
    return f"{sign} {figure.name}: {figure.value:.3g} {figure.unit}{limit}"


def _picture(path: Path, draw: Callable[[Axes], None]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    chart, axes = pyplot.subplots(figsize=(7, 3.6), dpi=110, layout="constrained")
    draw(axes)
    axes.spines[["top", "right"]].set_visible(False)
    chart.savefig(path)
    pyplot.close(chart)


def refuse_foreign_load() -> None:
    """Stop where other programs keep the machine busy, as times taken then say little; `--force` goes on."""
    busy = foreign_load()
    if busy > MOST_FOREIGN_LOAD and "--force" not in sys.argv:
        sys.exit(
            f"other programs keep {busy:.1f} cores busy (at most {MOST_FOREIGN_LOAD}): "
            "stop them and try again, or measure all the same with --force"
        )


def foreign_load() -> float:
    """Cores that other programs keep busy, watched for two seconds in which this one sleeps.

    What this program has used before does not count, as it would in the load average, which is the answer
    only where there is no /proc/stat.
    """
    if not Path("/proc/stat").exists():
        return os.getloadavg()[0]
    busy = _busy_seconds()
    time.sleep(2)
    return (_busy_seconds() - busy) / 2


def _busy_seconds() -> float:
    user, nice, system = (int(ticks) for ticks in Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-round(len(ordered) * share * 1000) // 1000) - 1))]
