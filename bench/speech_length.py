"""What two hours cost against minutes: time for each minute of audio, and memory beyond the loaded model.

With tiny's dimensions, so that it takes minutes; what grows with length is the service around the model.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.memory import forget_peak, peak_mb, resident_mb
from bench.report import Figure, refuse_foreign_load, write
from bench.speech_calls import SpeechCalls
from bench.whisper_weights import write_checkpoint
from tests.process.service import Service, running, write_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MINUTES, QUICK_MINUTES = (5, 10, 120), (5, 10, 30)
"""Shortest to longest: memory that one call leaves behind can only count against a longer one."""
SILENT_SHARE = 0.45
TOKENS = 92
MOST_COST, MOST_MEMORY_MB = 10.0, 100.0
TWO, MIXED = "two channels", "one channel"


@dataclass(frozen=True)
class Run:
    """``peak_mb``: of the service and its engine process together, beyond what they hold when idle."""

    minutes: int
    wall_s: float
    peak_mb: float
    stages: dict[str, float]

    @property
    def cost_s(self) -> float:
        return self.wall_s / self.minutes


def measure(*, quick: bool = False) -> list[Figure]:
    refuse_foreign_load()
    lengths = QUICK_MINUTES if quick else MINUTES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = write_checkpoint(folder / "tiny-like.pt", "tiny", TOKENS)
        write_script(folder)
        runs = {kind: _runs(folder / kind.split()[0], kind, lengths, checkpoint) for kind in (TWO, MIXED)}
    figures = [figure for kind, those in runs.items() for figure in _figures(kind, those)]
    details: dict[str, Any] = {kind: [vars(run) for run in those] for kind, those in runs.items()}
    write("speech_length", figures, lambda axes: _draw(axes, runs), details)
    return figures


def _figures(kind: str, runs: list[Run]) -> list[Figure]:
    shortest, middle, longest = runs
    more = 100 * (longest.cost_s / shortest.cost_s - 1)
    return [
        Figure(f"{kind}: seconds for each minute, {shortest.minutes} min", shortest.cost_s, "s"),
        Figure(f"{kind}: more for each, {longest.minutes} min", more, "%", MOST_COST),
        Figure(f"{kind}: peak memory beyond the loaded model, {middle.minutes} min", middle.peak_mb, "MB"),
        Figure(
            f"{kind}: more of it, {longest.minutes} min",
            longest.peak_mb - middle.peak_mb,
            "MB",
            MOST_MEMORY_MB,
        ),
    ]


def _runs(folder: Path, kind: str, lengths: tuple[int, ...], checkpoint: Path) -> list[Run]:
    folder.mkdir()
    write_script(folder)
    calls = SpeechCalls(folder)
    make = calls.two_channel if kind == TWO else calls.mixed
    settings = {
        "stt_provider": "faster_whisper",
        "whisper_model_size": str(checkpoint),
        "whisper_model_dir": str(checkpoint.parent / "models"),
    }
    runs = []
    with running(folder, **settings) as service:
        _run(service, make("first", 60, SILENT_SHARE), 1, idle_mb=0.0)
        idle_mb = sum(map(resident_mb, _processes(service)))
        for minutes in lengths:
            recording = make(f"call{minutes}", 60.0 * minutes, SILENT_SHARE)
            runs.append(_run(service, recording, minutes, idle_mb))
            print(f"{kind}, {minutes} min: {runs[-1].wall_s:.0f} s, {runs[-1].peak_mb:.0f} MB", flush=True)
    return runs


def _run(service: Service, recording: Path, minutes: int, idle_mb: float) -> Run:
    for pid in _processes(service):
        forget_peak(pid)
    before = len(service.log_lines())
    began = time.perf_counter()
    answer = service.post(
        "/transcribe",
        files={"audio": (recording.name, recording.read_bytes())},
        data={"call_id": recording.stem, "language": "en"},
        timeout=None,
    )
    wall_s = time.perf_counter() - began
    answer.raise_for_status()
    ended = [line for line in service.log_lines()[before:] if line["event"] == "stage.ended"]
    stages = {line["stage"]: line["seconds"] for line in ended}
    held_mb = sum(map(peak_mb, _processes(service)))
    return Run(minutes, wall_s, held_mb - idle_mb, stages)


def _processes(service: Service) -> tuple[int, int]:
    return service.process.pid, service.engine_pid()


def _draw(axes: Axes, runs: dict[str, list[Run]]) -> None:
    for kind, colour in ((TWO, "#3b6ea8"), (MIXED, "#c77d2e")):
        minutes = [run.minutes for run in runs[kind]]
        axes.plot(minutes, [run.peak_mb for run in runs[kind]], "o-", color=colour, label=f"{kind}, memory")
    axes.set_xlabel("minutes of the call")
    axes.set_ylabel("MB beyond the loaded model")
    axes.set_ylim(0, 1.3 * max(run.peak_mb for those in runs.values() for run in those))
    axes.legend(frameon=False, loc="upper left")
    cost = axes.twinx()
    for kind, colour in ((TWO, "#3b6ea8"), (MIXED, "#c77d2e")):
        minutes = [run.minutes for run in runs[kind]]
        cost.plot(minutes, [run.cost_s for run in runs[kind]], "x--", color=colour, label=f"{kind}, time")
    cost.set_ylabel("seconds for each minute")
    cost.set_ylim(0, 1.3 * max(run.cost_s for those in runs.values() for run in those))
    cost.legend(frameon=False, loc="lower right")


if __name__ == "__main__":
    if not Path("/proc/self/clear_refs").exists():
        sys.exit("memory is read from /proc, which this system does not have")
    measure(quick="--quick" in sys.argv)
