"""Loses engine processes one after the other and prints what it is told of each: `FOLDER` holds the sidecar.

A process of its own, since the system begins the peak of a child with that of its parent, and nobody knows
how much the test run has held before.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from app.schemas.audio import Audio, Span
from app.services.audio.windows import SpeechWindow
from app.workers.engine_process import EngineProcess
from tests.process.service import wait_until, write_script
from tests.settings import make_settings

LIMIT_MB, FILLED_MB = 750, 600
LEAK: dict[str, Any] = {"do": "leak", "megabytes": FILLED_MB}
SLEEP: dict[str, Any] = {"do": "sleep", "seconds": 60}


def transcribe(process: EngineProcess, seconds: float = 2.0) -> Future[Any]:
    sidecar = process._settings.scripted_transcript
    assert sidecar is not None
    silence = sidecar.with_name(f"{seconds}.pcm")
    silence.write_bytes(bytes(2 * round(16000 * seconds)))
    audio, window = Audio(silence, round(16000 * seconds)), SpeechWindow((Span(0.0, seconds),))
    return process.submit("stt", "transcribe", "scripted", ((audio, window),), "en", ())


def peak_mb(process: EngineProcess) -> float:
    """The most memory that it held so far; 0 while there is none."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return 0.0
    peaks = [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")]
    return max(peaks, default=0.0)


def kill_when(process: EngineProcess, reached: Callable[[], bool]) -> None:
    """Print the error of a request whose process is killed as soon as it is where it should be."""
    answer = transcribe(process)
    wait_until(reached, "the request to be where it is killed")
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    print(type(answer.exception(60)).__name__, flush=True)


def main(folder: Path) -> None:
    settings = make_settings(
        folder, scripted_transcript=folder / "transcript.json", engine_memory_mb=LIMIT_MB
    )
    process = EngineProcess(settings)

    def in_work() -> bool:
        return any(request.started for request in process._pending.values())

    write_script(folder, faults=[LEAK, SLEEP])
    kill_when(process, lambda: peak_mb(process) > FILLED_MB)
    write_script(folder, faults=[SLEEP])
    kill_when(process, in_work)
    memory = b"x" * (LIMIT_MB * 2**20)
    kill_when(process, in_work)
    del memory
    kill_when(process, in_work)
    process.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
