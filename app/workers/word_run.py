"""Words without a recording through the pipeline, while somebody waits for the answer."""

from __future__ import annotations

from threading import BoundedSemaphore

from app.core.exceptions import Busy
from app.schemas.analysis import Analysis
from app.schemas.heard import Heard
from app.workers.pipeline import CallInput, Stages, analyse
from app.workers.progress import Progress

AT_ONCE = 8
"""Transcripts in work at a time. The engine process takes one request after the other anyway."""
RETRY_AFTER_S = 2


class WordRun:
    """Runs the stages that need words alone, the same as for a recording. Thread-safe."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._places = BoundedSemaphore(AT_ONCE)

    def run(self, call: CallInput, heard: Heard) -> Analysis:
        """Returns when all is done; trouble in a stage becomes a warning.

        Raises EngineUnavailable, and Busy where too many are in work.
        """
        if not self._places.acquire(blocking=False):
            raise Busy(f"{AT_ONCE} transcripts are in work", retry_after_s=RETRY_AFTER_S)
        try:
            return analyse(call, heard, self._stages, Progress())
        finally:
            self._places.release()
