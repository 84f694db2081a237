"""One of the processes behind `python -m app worker`: takes calls from queues when it hears of them."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Sequence

from app.core.config import Settings, load_settings
from app.core.exceptions import AppError, ConfigurationError, DatabaseUnavailable
from app.core.logging import configure_logging
from app.core.telemetry import Telemetry
from app.db.migrate import prepare
from app.schemas.call import Queue
from app.schemas.worker import WorkerState
from app.services.bootstrap import build_services, default_options
from app.workers.celery_bell import CeleryBell
from app.workers.engines import Engines
from app.workers.hearing import Hearing
from app.workers.job_runner import IDLE_S, JobRunner
from app.workers.keeper import Keeper
from app.workers.listener import Listener
from app.workers.pipeline import Stages
from app.workers.reminder import Reminder
from app.workers.signals import set_when_told_to_stop
from app.workers.supervisor import DEAF, LISTENER_LOST, REPLACED
from app.workers.tasks import CallTask

log = logging.getLogger(__name__)

ENDED = 0
POLL_S = 0.25
STAGES = {
    Queue.TRANSCRIBE: ("stt", "diarization"),
    Queue.ANALYZE: ("reading", "sentiment", "sentiment_multilingual"),
    Queue.BULK: ("stt", "diarization", "reading", "sentiment", "sentiment_multilingual"),
}
"""Whose engines the calls of a queue need; no others are loaded."""


class Worker:
    """At most MAX_CONCURRENT_CALLS calls of ``queues`` at a time, with an engine process of its own."""

    def __init__(self, settings: Settings, queues: Sequence[Queue]) -> None:
        """Raises ConfigurationError."""
        self._settings = settings
        self._queues = tuple(queues)
        self.services = build_services(settings)
        needed = {stage for queue in queues for stage in STAGES[queue]}
        chains = {stage: chain for stage, chain in self.services.chains.items() if stage in needed}
        self._engines = Engines(settings, chains)
        self._bell = CeleryBell(settings, self.services.work)
        self.runner = self._runner()
        reminder = Reminder(self.services.work, self._bell, round_s=settings.reaper_s)
        self._hearing = Hearing(
            self.services.work, reminder, self.runner.open_queues, deaf_s=2 * settings.reaper_s
        )
        self.listener = Listener(settings, queues, on_ring=self._hear, on_connection=self._connection_changed)
        self._shown_at = 0.0
        self._shown: WorkerState | None = None
        self._keeper = Keeper(
            settings,
            self.services.work,
            self.runner,
            each_tick=(self._check_hearing, self._show),
            each_round=(reminder.ring_for_untold, self.services.workers.forget_silent),
        )

    @property
    def state(self) -> WorkerState:
        if self._hearing.is_deaf:
            return WorkerState.DEAF
        return WorkerState.READY if self._engines.are_usable() else WorkerState.UNFIT

    def run(self, stopping: threading.Event) -> int:
        """Work until ``stopping`` is set, or until another process should take over; returns the exit code.

        Calls in work may end within STOP_GRACE_S; the rest is handed back.
        """
        self._start()
        code = self._work(stopping)
        log.info("worker.ending", extra={"exit_code": code})
        if code == REPLACED:
            self._finish(stopping)
        self._stop(stays_listed=code == DEAF)
        return code

    def _start(self) -> None:
        self._prepare_database()
        self.services.scratch.sweep()
        self._bell.start()
        self._engines.start()
        self.runner.start()
        self.listener.start()
        self._keeper.start()
        log.info("worker.started", extra={"queues": list(self._queues)})

    def _work(self, stopping: threading.Event) -> int:
        limit = self._settings.worker_max_calls
        could_take = frozenset[Queue]()
        while not stopping.wait(POLL_S):
            can_take = self.runner.open_queues()
            if can_take - could_take:
                self.runner.ring()
            could_take = can_take
            self.listener.listen_to(can_take)
            if self._hearing.is_deaf:
                log.error("worker.deaf")
                return DEAF
            if not self.listener.is_alive:
                log.error("worker.listener_lost")
                return LISTENER_LOST
            if limit and self.runner.ended >= limit:
                return REPLACED
        return ENDED

    def _finish(self, stopping: threading.Event) -> None:
        """Begin nothing new, and let what is in work take its time."""
        self.runner.retire()
        self.listener.listen_to(frozenset())
        while self.runner.active() and not stopping.wait(POLL_S):
            pass

    def _stop(self, *, stays_listed: bool) -> None:
        self.listener.retire()
        self.runner.stop(self._settings.stop_grace_s)
        self._keeper.stop()
        self._bell.stop()
        self.listener.stop()
        self._engines.stop()
        try:
            if stays_listed:
                self._show()
            else:
                self.services.workers.sign_out()
        except AppError as error:
            log.warning("worker.not_signed_out", extra={"code": error.code})
        self.services.database.dispose()

    def _runner(self) -> JobRunner:
        services, settings = self.services, self._settings
        stages = Stages(services.audio, self._engines, services.coachable, default_options(settings))
        task = CallTask(
            services.work,
            services.storage,
            services.scratch,
            stages,
            services.library,
            self._queues,
            Telemetry(),
        )
        return JobRunner(
            services.work,
            task,
            slots=settings.max_concurrent_calls,
            queues=self._queues,
            max_attempts=settings.max_attempts,
            may_take=self._engines.are_usable,
            on_left=self._bell.ring,
            on_change=lambda: self.listener.listen_to(self.runner.open_queues()),
        )

    def _prepare_database(self) -> None:
        try:
            prepare(self.services.database)
        except DatabaseUnavailable as error:
            log.error("database.away", extra={"detail": error.detail})

    def _hear(self, queue: Queue) -> bool:
        """A ring came; whether there is somebody here to look after it."""
        self._hearing.heard()
        return queue in self.runner.open_queues() and self.runner.ring()

    def _connection_changed(self, is_connected: bool) -> None:
        """Without a broker, look for calls every second; with one, once more, for what was rung meanwhile."""
        self.runner.look_every(None if is_connected else IDLE_S)

    def _check_hearing(self) -> None:
        if self.listener.is_connected:
            self._hearing.check()
        else:
            self._hearing.heard()

    def _show(self) -> None:
        """Tell others that this process lives, and whether it can take calls."""
        state = self.state
        if state is self._shown and time.monotonic() - self._shown_at < self._settings.heartbeat_s:
            return
        if self._shown is None:
            self.services.workers.sign_in(self._queues, state)
        else:
            self.services.workers.show(self._queues, state, self.runner.claimed_at)
        self._shown, self._shown_at = state, time.monotonic()


def main() -> None:
    """``argv[1]``: names of queues. Ends when it is told to, and when its parent, at the other end of
    standard input, is gone."""
    stopping = threading.Event()
    set_when_told_to_stop(stopping)
    threading.Thread(target=_watch_parent, args=(stopping,), name="parent", daemon=True).start()
    code = _run([Queue(name) for name in sys.argv[1].split(",")], stopping)
    logging.shutdown()
    os._exit(code)  # everything has been ended, and taking the interpreter apart can take seconds


def _run(queues: Sequence[Queue], stopping: threading.Event) -> int:
    try:
        settings = load_settings()
        configure_logging(settings.log_level)
        return Worker(settings, queues).run(stopping)
    except ConfigurationError as error:
        print(f"error: {error.detail}", file=sys.stderr)
        return 2


def _watch_parent(stopping: threading.Event) -> None:
    while os.read(0, 1):
        pass
    stopping.set()


if __name__ == "__main__":
    main()
