"""Words without a recording through the pipeline, while somebody waits for the answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from app.core.exceptions import Busy, StageFailed
from app.schemas.analysis import Analysis
from app.schemas.correction import Draft, Judged
from app.schemas.heard import Heard
from app.workers.pipeline import CallInput, Stages, analyse
from app.workers.progress import Progress
from app.workers.rejudging import rejudge

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
        with self._place():
            return analyse(call, heard, self._stages, Progress())

    def judge(self, draft: Draft) -> Judged:
        """Judge what is unjudged of a corrected call.

        Raises EngineUnavailable, StageFailed where a stage has trouble, and Busy as ``run`` does.
        """
        with self._place():
            judged = rejudge(draft, self._stages, Progress())
        if judged.failed_stages:
            raise StageFailed(judged.failed_stages[0], "the corrected words could not be judged")
        return judged

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise Busy(f"{AT_ONCE} transcripts are in work", retry_after_s=RETRY_AFTER_S)
        try:
            yield
        finally:
            self._places.release()
