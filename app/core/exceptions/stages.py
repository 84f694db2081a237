"""Engines that failed in the middle of a call."""

from __future__ import annotations

from typing import ClassVar

from app.core.exceptions.base import AppError


class StageFailed(AppError):
    """An engine raised in the middle of a call; ``code`` is ``<stage>_failed`` where there is no other."""

    title = "A stage of the analysis failed"
    own_code: ClassVar[str | None] = None

    def __init__(self, stage: str, detail: str = "") -> None:
        super().__init__(detail)
        self.stage = stage
        self.code = self.own_code or f"{stage}_failed"


class EngineCrashed(StageFailed):
    title = "The engine process ended during the call"
    own_code = "engine_crashed"


class ResourceLimit(StageFailed):
    title = "The recording needs more memory than the engines may take"
    own_code = "resource_limit"


class DeadlineExceeded(StageFailed):
    status = 504
    title = "The call took longer than its deadline"
    own_code = "deadline_exceeded"
