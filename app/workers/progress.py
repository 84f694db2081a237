"""Stages of a call in work: timing, the log line, the stage shown in the database, tolerated failures."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.core.exceptions import AppError
from app.core.logging import log_fields
from app.schemas.analysis import Notice

log = logging.getLogger(__name__)


class CallGone(Exception):
    """The call was deleted or taken over while in work: stop, and write nothing."""


class Progress:
    """Follows one call through its stages.

    ``on_stage`` is told each stage's name and answers whether the call is still ours; ``on_share`` is told
    the share of a stage that is done, in [0, 1].
    """

    def __init__(
        self,
        on_stage: Callable[[str], bool] = lambda _: True,
        on_share: Callable[[str, float], None] = lambda _stage, _share: None,
    ) -> None:
        self._on_stage = on_stage
        self._on_share = on_share
        self.current: str | None = None
        self.notices: list[Notice] = []
        self.failed_stages: list[str] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A stage without which there is no result. Raises CallGone when the call is no longer ours."""
        self.current = name
        if not self._on_stage(name):
            raise CallGone
        began = time.monotonic()
        with log_fields(stage=name):
            try:
                yield
            finally:
                log.info("stage.ended", extra={"seconds": round(time.monotonic() - began, 3)})
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
                log.warning("stage.failed", extra={"code": error.code})
                self.fail(name, error.code, error.detail)
            except Exception:
                log.exception("stage.failed")
                self.fail(name, f"{name}_failed", f"stage {name} failed")

    def share(self, done: float) -> None:
        """Report the share of the current stage that is done."""
        if self.current is not None:
            self._on_share(self.current, done)

    def fail(self, stage: str, code: str, message: str) -> None:
        """Note a failure that the result survives."""
        self.failed_stages.append(stage)
        self.notices.append(Notice(stage, code, message))

    def note(self, stage: str, code: str, message: str) -> None:
        """Note something that a reader of the result should know."""
        self.notices.append(Notice(stage, code, message))
