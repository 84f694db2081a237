"""Time from the start of the process to the first answer of `/health`: median of five warm starts."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.report import Figure, write
from tests.process.service import start, wait_until, write_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STARTS = 5
TARGET_S = 2.0


def measure() -> list[Figure]:
    alive, ready = [], []
    with tempfile.TemporaryDirectory() as folder:
        write_script(Path(folder))
        for number in range(STARTS + 1):
            began = time.monotonic()
            service = start(Path(folder), stt_provider="pocketsphinx")
            answered = time.monotonic() - began
            wait_until(lambda service=service: service.get("/ready").status_code == 200, "readiness", 0.02)  # type: ignore[misc]
            if number:  # the first start fills the disk cache
                alive.append(answered)
                ready.append(time.monotonic() - began)
            service.stop()
    figures = [
        Figure(
            "first answer of /health after the start, median of five", statistics.median(alive), "s", TARGET_S
        ),
        Figure("embedded engines loaded after the start, median of five", statistics.median(ready), "s"),
    ]

    def draw(axes: Axes) -> None:
        axes.barh(
            ["/health answers", "engines loaded"], [figure.value for figure in figures], color="#3b6ea8"
        )
        axes.axvline(TARGET_S, color="#b03a2e", linestyle="--", label="target for /health")
        axes.set_xlabel("seconds after the start of the process")
        axes.legend(frameon=False)

    write("startup", figures, draw, {"alive_s": alive, "ready_s": ready})
    return figures


if __name__ == "__main__":
    measure()
