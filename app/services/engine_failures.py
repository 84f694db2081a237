"""What an engine raises, told as the failure of its stage."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from app.core.exceptions import AppError, StageFailed

log = logging.getLogger(__name__)


@contextmanager
def told_as_failure_of(stage: str, engine: str) -> Iterator[None]:
    """Raises StageFailed, and logs the cause, for what is no AppError; an AppError passes as it is."""
    try:
        yield
    except AppError:
        raise
    except Exception as error:
        log.warning(f"{stage}.failed", extra={"engine": engine}, exc_info=error)
        raise StageFailed(stage, f"the {engine} engine failed: {type(error).__name__}") from error
