"""The running service of one process: services, engines and the job runner, started and stopped together."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from app.core.exceptions import DatabaseUnavailable, ServiceStopping
from app.core.reach import is_reachable
from app.core.telemetry import Telemetry
from app.db.migrate import prepare
from app.schemas.call import ALL_QUEUES, CallRecord, Queue
from app.services.bootstrap import Services, default_options
from app.workers.bell import bell_of
from app.workers.deliveries import DeliveryLoop
from app.workers.engines import Engines
from app.workers.housekeeping import Housekeeping, chores_of
from app.workers.job_runner import JobRunner
from app.workers.keeper import Keeper
from app.workers.pipeline import Stages
from app.workers.reminder import Reminder
from app.workers.tasks import CallTask
from app.workers.watch import CallWatch
from app.workers.word_run import WordRun

log = logging.getLogger(__name__)

DELIVERIES_GRACE_S = 5.0
STOPPING_RETRY_AFTER_S = 5
BROKER_PORTS = {"amqp": 5672, "amqps": 5671, "redis": 6379, "rediss": 6379}
BROKER_WAIT_S = 1.0


class Runtime:
    """Made cheaply; ``start`` begins the work and may be called again. Thread-safe.

    With a broker (QUEUE_URL) the work is done by workers elsewhere: no call is taken and no engine runs here.
    """

    def __init__(self, services: Services, queues: Sequence[Queue] = ALL_QUEUES) -> None:
        self.services = services
        self.engines = Engines(services.settings, services.chains)
        stages = Stages(services.audio, self.engines, services.coachable, default_options(services.settings))
        settings = services.settings
        self.telemetry = Telemetry()
        task = CallTask(
            services.work,
            services.storage,
            services.scratch,
            stages,
            services.library,
            queues,
            self.telemetry,
        )
        self.watch = CallWatch(services.calls)
        self.runner = JobRunner(
            services.work,
            task,
            slots=settings.max_concurrent_calls,
            queues=queues,
            max_attempts=settings.max_attempts,
            on_change=self._work_changed,
        )
        self.works_here = not settings.queue_url
        self.bell = bell_of(settings, services.work, self.runner)
        self.keeper = self._keeper()
        self.stages = stages
        self.words = WordRun(stages)
        self.deliveries = DeliveryLoop(services.deliveries)
        self._lock = threading.Lock()
        self._engines_since = 0
        self._started = False
        self._stopping = threading.Event()
        self._wound_down = threading.Event()
        self.housekeeping = Housekeeping(chores_of(services, self._stopping), self._stopping)

    def check_engines(self, language: str | None = None) -> None:
        """Raises EngineUnavailable or UnsupportedLanguage when a call would fail for want of an engine.

        What workers elsewhere have is for them to know: they take no call that they have no engine for.
        """
        if self.works_here:
            self.engines.check(language)

    def broker_state(self) -> str:
        """`ok`, or that the broker takes no connection."""
        broker = urlsplit(self.services.settings.queue_url)
        address = broker.hostname or "127.0.0.1", broker.port or BROKER_PORTS[broker.scheme]
        return "ok" if is_reachable(*address, BROKER_WAIT_S, broker.scheme) else "it cannot be reached"

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
            self.services.tts_chain.start()
            self.bell.start()
            if self.works_here:
                self.engines.start()
                self.runner.start()
            self.keeper.start()
            self.deliveries.start()
            self.housekeeping.start()
            self._started = True

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def check_open(self) -> None:
        """Raises ServiceStopping once no new work is taken."""
        if self._stopping.is_set():
            raise ServiceStopping(retry_after_s=STOPPING_RETRY_AFTER_S)

    def announce(self, record: CallRecord) -> None:
        """Tell workers of a call that waits; a call that does not is no news."""
        if record.queue is not None:
            self.bell.ring(record.call_id, record.queue)

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
            self.bell.stop()
            self.deliveries.stop(DELIVERIES_GRACE_S)
            self.engines.stop()
            self.services.tts_chain.stop()
            self.services.database.dispose()

    def _keeper(self) -> Keeper:
        services = self.services
        if self.works_here:
            return Keeper(services.settings, services.work, self.runner)
        reminder = Reminder(services.work, self.bell, round_s=services.settings.reaper_s)
        return Keeper(
            services.settings,
            services.work,
            self.runner,
            each_round=(reminder.ring_for_untold, services.workers.forget_silent),
        )

    def _work_changed(self) -> None:
        """A call was begun or has ended here: whoever waits sees it at once, and an engine process that has
        served enough calls makes way for a new one."""
        self.watch.nudge()
        limit, ended = self.services.settings.worker_max_calls, self.runner.ended
        if limit and ended - self._engines_since >= limit:
            self._engines_since = ended
            self.engines.replace_process()

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
