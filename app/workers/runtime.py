"""The running service of one process: services, engines and the job runner, started and stopped together."""

from __future__ import annotations

import logging
import threading

from app.core.exceptions import AppError, DatabaseUnavailable
from app.db.migrate import prepare
from app.services.bootstrap import Services, default_options
from app.workers.deliveries import DeliveryLoop
from app.workers.engines import Engines
from app.workers.housekeeping import Housekeeping, chores_of
from app.workers.job_runner import JobRunner
from app.workers.pipeline import Stages
from app.workers.tasks import CallTask

log = logging.getLogger(__name__)

STOP_GRACE_S = 20.0
DELIVERIES_GRACE_S = 5.0


class Runtime:
    """Made cheaply; ``start`` begins the work and may be called again. Thread-safe."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.engines = Engines(services.settings, services.chains)
        stages = Stages(services.audio, self.engines, services.coachable, default_options(services.settings))
        task = CallTask(services.calls, services.storage, services.scratch, stages)
        self.runner = JobRunner(services.settings, services.calls, task)
        self.stages = stages
        self.deliveries = DeliveryLoop(services.deliveries)
        self._lock = threading.Lock()
        self._started = False
        self._stopping = threading.Event()
        self.housekeeping = Housekeeping(chores_of(services, self._stopping), self._stopping)

    def start(self) -> None:
        """Bring the database up to date, clear away what killed processes left, begin to take calls.

        A database that is away does not stop the start: `/ready` says so, and it is tried again.
        """
        if self._started:
            return
        with self._lock:
            if self._started:
                return
            self._prepare_database()
            self._sweep()
            self.engines.start()
            self.services.tts_chain.start()
            self.runner.start()
            self.deliveries.start()
            self.housekeeping.start()
            self._started = True

    def stop(self) -> None:
        with self._lock:
            if not self._started:
                return
            self._stopping.set()
            self.runner.stop(STOP_GRACE_S)
            self.deliveries.stop(DELIVERIES_GRACE_S)
            self.engines.stop()
            self.services.tts_chain.stop()
            self.services.database.dispose()

    def _prepare_database(self) -> None:
        try:
            prepare(self.services.database)
        except DatabaseUnavailable as error:
            log.error("database.away", extra={"detail": error.detail})

    def _sweep(self) -> None:
        removed = self.services.scratch.sweep()
        removed += self.services.tts.sweep()
        if removed:
            log.info("leftovers.removed", extra={"files": removed})
        try:
            self.services.calls.give_up_lost(())
        except AppError as error:
            log.warning("calls.not_checked", extra={"code": error.code})
