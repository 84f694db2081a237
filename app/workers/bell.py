"""The doorbell: tells those who work that a call waits. The database alone decides who gets it."""

from __future__ import annotations

from typing import Protocol

from app.core.config import Settings
from app.schemas.call import Queue
from app.services.work_service import WorkService
from app.workers.job_runner import JobRunner


class Bell(Protocol):
    """Rung after the commit. A ring that is lost costs time, never a call. Thread-safe; raises nothing."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def ring(self, call_id: str, queue: Queue) -> None: ...


class LocalBell:
    """Work is done in this process."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    def start(self) -> None:
        """There is nothing to start."""

    def stop(self) -> None:
        """There is nothing to stop."""

    def ring(self, call_id: str, queue: Queue) -> None:  # noqa: ARG002 - the port's names
        self._runner.ring()


def bell_of(settings: Settings, work: WorkService, runner: JobRunner) -> Bell:
    """The broker's where there is one, else this process's. Raises ConfigurationError."""
    if not settings.queue_url:
        return LocalBell(runner)
    from app.workers.celery_bell import CeleryBell

    return CeleryBell(settings, work)
