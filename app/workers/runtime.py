"""The running service of one process: services, engines and the job runner, started and stopped together."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from app.core.exceptions import AppError, DatabaseUnavailable, ServiceStopping
from app.core.telemetry import Telemetry
from app.db.migrate import prepare
from app.schemas.call import ALL_QUEUES, Queue
from app.services.bootstrap import Services, default_options
from app.workers.bell import Bell, LocalBell
from app.workers.deliveries import DeliveryLoop
from app.workers.engines import Engines
from app.workers.job_runner import JobRunner
from app.workers.keeper import Keeper
from app.workers.pipeline import Stages
from app.workers.tasks import CallTask
from app.workers.watch import CallWatch

log = logging.getLogger(__name__)

DELIVERIES_GRACE_S = 5.0
HOUSEKEEPING_S = 600.0
STOPPING_RETRY_AFTER_S = 5


class Runtime:
    """Made cheaply; ``start`` begins the work and may be called again. Thread-safe."""

    def __init__(self, services: Services, queues: Sequence[Queue] = ALL_QUEUES) -> None:
        self.services = services
        self.engines = Engines(services.settings, services.chains)
        stages = Stages(services.audio, self.engines, services.coachable, default_options(services.settings))
        settings = services.settings
        self.telemetry = Telemetry()
        task = CallTask(services.work, services.storage, services.scratch, stages, queues, self.telemetry)
        self.watch = CallWatch(services.calls)
        self.runner = JobRunner(
            services.work,
            task,
            slots=settings.max_concurrent_calls,
            queues=queues,
            max_attempts=settings.max_attempts,
            on_end=self.watch.nudge,
        )
        self.bell: Bell = LocalBell(self.runner)
        self.keeper = Keeper(settings, services.work, self.runner)
        self.stages = stages
        self.deliveries = DeliveryLoop(services.deliveries)
        self._lock = threading.Lock()
        self._started = False
        self._stopping = threading.Event()
        self._wound_down = threading.Event()

    def check_engines(self, language: str | None = None) -> None:
        """Raises EngineUnavailable or UnsupportedLanguage when a call would fail for want of an engine."""
        self.engines.check(language)

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
            self.keeper.start()
            self.deliveries.start()
            threading.Thread(target=self._keep_house, name="housekeeping", daemon=True).start()
            self._started = True

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def check_open(self) -> None:
        """Raises ServiceStopping once no new work is taken."""
        if self._stopping.is_set():
            raise ServiceStopping(retry_after_s=STOPPING_RETRY_AFTER_S)

    def retire(self) -> None:
        """Take no new work, and let what is in work end within STOP_GRACE_S. Returns at once."""
        with self._lock:
            if self._stopping.is_set():
                return
            self._stopping.set()
            self.runner.retire()
            threading.Thread(target=self._wind_down, name="winding-down").start()

    def _wind_down(self) -> None:
        settings = self.services.settings
        until = time.monotonic() + settings.stop_grace_s
        try:
            self.runner.stop(settings.stop_grace_s)
            if settings.queue_url:  # others go on with the work
                self.watch.drain(until - time.monotonic())
            self.watch.stop()
        finally:
            self._wound_down.set()

    def stop(self) -> None:
        """Retire, and end what is left. Returns when everything has ended."""
        self.retire()
        self._wound_down.wait()
        with self._lock:
            if not self._started:
                return
            self.keeper.stop()
            self.deliveries.stop(DELIVERIES_GRACE_S)
            self.engines.stop()
            self.services.tts_chain.stop()
            self.services.database.dispose()

    def _prepare_database(self) -> None:
        try:
            prepare(self.services.database)
        except DatabaseUnavailable as error:
            log.error("database.away", extra={"detail": error.detail})

    def _keep_house(self) -> None:
        """Spoken texts go when they are old, also in a service that nobody asks for anything."""
        self._sweep_storage()
        while not self._stopping.wait(HOUSEKEEPING_S):
            self.services.tts.sweep()
            self._forget_old_keys()

    def _forget_old_keys(self) -> None:
        try:
            self.services.calls.forget_old_keys(datetime.now(UTC))
        except AppError as error:
            log.warning("keys.not_forgotten", extra={"code": error.code})

    def _sweep_storage(self) -> None:
        """Not in the way of the start: a storage elsewhere may take its time, or be away."""
        try:
            self.services.storage.check()
            removed = self.services.storage.sweep()
        except AppError as error:
            log.error("storage.not_usable", extra={"detail": error.detail})
            return
        if removed:
            log.info("uploads.removed", extra={"uploads": removed})

    def _sweep(self) -> None:
        removed = self.services.scratch.sweep()
        removed += self.services.tts.sweep()
        if removed:
            log.info("leftovers.removed", extra={"files": removed})
