"""Stages of a call in work: timing, the log line, how far it is, tolerated failures, and being stopped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.core.exceptions import AppError, EngineCrashed
from app.core.logging import log_fields
from app.schemas.analysis import Notice
from app.schemas.heard import Heard

log = logging.getLogger(__name__)

WEIGHTS = {
    "decode": 3.0,
    "voice_activity": 3.0,
    "transcribe": 72.0,
    "diarization": 10.0,
    "roles": 1.0,
    "reading": 4.0,
    "sentiment": 3.0,
    "metrics": 1.0,
    "moments": 2.0,
    "persist": 1.0,
}
"""Percent of the work that each stage usually is. They add up to 100, which the result alone shows."""
_HALF_WAY_S = 30.0


class CallGone(Exception):
    """The call was cancelled, deleted or taken over while in work: stop, and write nothing."""


class Progress:
    """Follows one call through its stages. Only ``percent`` and ``stop`` are for other threads.

    ``on_stage`` is told each stage's name and the percent done, and answers whether the call is still ours;
    ``on_share`` is told the share of a stage that is done, in [0, 1]; ``on_end`` a stage's name and seconds.
    ``shown_before``: the percent that an earlier attempt was seen to reach.
    """

    def __init__(
        self,
        on_stage: Callable[[str, float], bool] = lambda _stage, _percent: True,
        on_share: Callable[[str, float], None] = lambda _stage, _share: None,
        on_end: Callable[[str, float], None] = lambda _stage, _seconds: None,
        shown_before: float = 0.0,
    ) -> None:
        self._on_stage = on_stage
        self._on_share = on_share
        self._on_end = on_end
        self._shown_before = shown_before
        self._first_stage: str | None = None
        self._share = 0.0
        self._share_at = time.monotonic()
        self._began = time.monotonic()
        self.current: str | None = None
        self.notices: list[Notice] = []
        self.failed_stages: list[str] = []
        self.last_attempt = True
        """Whether the loss of an engine process counts as a failure: else the call is begun again."""
        self.stopped = threading.Event()

    def resume(self, heard: Heard) -> None:
        """Go on from what was noted when this was heard."""
        self.notices[:] = heard.notices
        self.failed_stages[:] = heard.failed_stages

    @property
    def worked_s(self) -> float:
        """Seconds since the work began."""
        return time.monotonic() - self._began

    def stop(self) -> None:
        """Let the work end at the next place where it can: it raises CallGone there."""
        self.stopped.set()

    def check(self) -> None:
        """Raises CallGone when the work is to stop."""
        if self.stopped.is_set():
            raise CallGone

    @property
    def percent(self) -> float:
        """How far the call is, in [0, 100).

        Between two reports of a stage the rest of it is taken to be done the slower the longer it takes:
        an estimate that always moves and never reaches the end of the stage. What an earlier attempt had
        reached is where this one begins, so that it moves too while that is done again.
        """
        if self.current is None or self._first_stage is None:
            return self._shown_before
        waited_s = time.monotonic() - self._share_at
        share = self._share + (1 - self._share) * 0.9 * waited_s / (waited_s + _HALF_WAY_S)
        begun_at = _weight_before(self._first_stage)
        done = _weight_before(self.current) + WEIGHTS[self.current] * share - begun_at
        return round(self._shown_before + (100 - self._shown_before) * done / (100 - begun_at), 4)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A stage without which there is no result. Raises CallGone when the call is no longer ours."""
        self.check()
        self._enter(name)
        if not self._on_stage(name, self.percent):
            raise CallGone
        began = time.monotonic()
        with log_fields(stage=name):
            try:
                yield
            finally:
                seconds = time.monotonic() - began
                log.info("stage.ended", extra={"seconds": round(seconds, 3)})
                self._on_end(name, seconds)
        self._on_share(name, 1.0)

    @contextmanager
    def tolerated(self, name: str) -> Iterator[None]:
        """A stage whose failure leaves a result, with a warning that names it."""
        with self.stage(name):
            try:
                yield
            except CallGone:
                raise
            except AppError as error:
                if isinstance(error, EngineCrashed) and not self.last_attempt:
                    raise
                log.warning("stage.failed", extra={"code": error.code})
                self.fail(name, error.code, error.detail)
            except Exception:
                log.exception("stage.failed")
                self.fail(name, f"{name}_failed", f"stage {name} failed")

    def share(self, done: float) -> None:
        """Report the share of the current stage that is done."""
        self.check()
        self._share, self._share_at = done, time.monotonic()
        if self.current is not None:
            self._on_share(self.current, done)

    def fail(self, stage: str, code: str, message: str) -> None:
        """Note a failure that the result survives."""
        self.failed_stages.append(stage)
        self.notices.append(Notice(stage, code, message))

    def note(self, stage: str, code: str, message: str) -> None:
        """Note something that a reader of the result should know."""
        self.notices.append(Notice(stage, code, message))

    def _enter(self, name: str) -> None:
        self._share, self._share_at = 0.0, time.monotonic()
        self._first_stage = self._first_stage or name
        self.current = name


def _weight_before(stage: str) -> float:
    """Percent of the work that the stages before it usually are."""
    stages = list(WEIGHTS)
    return sum(WEIGHTS[name] for name in stages[: stages.index(stage)])
