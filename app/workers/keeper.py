"""Signs of life of the calls in work here, and the look for calls whose workers are gone."""

from __future__ import annotations

import logging
import threading
import time

from app.core.config import Settings
from app.core.exceptions import AppError
from app.services.work_service import WorkService
from app.workers.job_runner import JobRunner

log = logging.getLogger(__name__)

LONGEST_TICK_S = 2.0
"""A cancelled call is stopped within this time and what its stage needs to notice it."""


class Keeper:
    """One thread a process. What it learns of a call in work that is ours no more, it tells the work."""

    def __init__(self, settings: Settings, work: WorkService, runner: JobRunner) -> None:
        self._settings = settings
        self._work = work
        self._runner = runner
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(LONGEST_TICK_S)

    def _keep(self) -> None:
        reaped_at = 0.0
        tick_s = min(self._settings.heartbeat_s, LONGEST_TICK_S)
        while not self._stopping.is_set():
            try:
                self._beat()
                if time.monotonic() - reaped_at >= self._settings.reaper_s:
                    reaped_at = time.monotonic()
                    self.reap()
            except AppError as error:
                log.warning("keeper.failed", extra={"code": error.code})
            except Exception:
                log.exception("keeper.failed")
            self._stopping.wait(tick_s)

    def _beat(self) -> None:
        for claim, progress in self._runner.active():
            if not self._work.beat(claim, progress.percent):
                progress.stop()

    def reap(self) -> None:
        """Queue again what was lost."""
        if self._work.take_back_lost({claim.call_id for claim, _ in self._runner.active()}):
            self._runner.ring()
