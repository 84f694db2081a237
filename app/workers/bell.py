"""The doorbell: tells those who work that a call waits. The database alone decides who gets it."""

from __future__ import annotations

from typing import Protocol

from app.schemas.call import Queue
from app.workers.job_runner import JobRunner


class Bell(Protocol):
    """Rung after the commit. A ring that is lost costs time, never a call. Thread-safe; raises nothing."""

    def ring(self, call_id: str, queue: Queue) -> None: ...


class LocalBell:
    """Work is done in this process."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    def ring(self, call_id: str, queue: Queue) -> None:  # noqa: ARG002 - the port's names
        self._runner.ring()
