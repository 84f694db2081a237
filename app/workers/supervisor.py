"""`python -m app worker`: starts the processes that take calls, and others in the place of those that end.

It imports no engine, no database and no broker, and forks nothing: each process is a new Python.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

from app.core.config import Settings
from app.core.exceptions import ConfigurationError
from app.core.shared_counters import share_counters
from app.schemas.call import ALL_QUEUES, Queue
from app.storage.scratch import working_folder
from app.workers.interpreter import import_path
from app.workers.signals import set_when_told_to_stop

log = logging.getLogger(__name__)

POLL_S = 0.1
QUICK_END_S = 10.0
LONGEST_PAUSE_S = 30.0
LISTENER_LOST = 74
DEAF = 75
REPLACED = 76
"""Exit codes of a process that wants another in its place: it hears nothing, or has worked long enough."""
LAST_WORDS_S = 8.0
"""What a process may need beyond STOP_GRACE_S; with its default, all have ended within 30 s."""


class _Place:
    """One of the processes, and the one after it. What ends soon after its start is started again later
    and later; what was to be replaced, at once."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._started_at = 0.0
        self._starts_at = 0.0
        self._quick_ends = 0
        self.process: subprocess.Popen[bytes] | None = None

    def look(self) -> None:
        """Start a process where there is none and its time has come."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self._ended(self.process, now)
        if self.process is None and now >= self._starts_at:
            # At the other end of its standard input it sees when this process is gone.
            self.process = subprocess.Popen(self._command, env=self._environment, stdin=subprocess.PIPE)
            self._started_at = now
            log.info("worker.process_started", extra={"pid": self.process.pid})

    def _ended(self, process: subprocess.Popen[bytes], now: float) -> None:
        is_quick = now - self._started_at < QUICK_END_S and process.returncode != REPLACED
        self._quick_ends = self._quick_ends + 1 if is_quick else 0
        pause_s = min(2.0 ** (self._quick_ends - 1), LONGEST_PAUSE_S) if is_quick else 0.0
        self._starts_at = now + pause_s
        level = logging.INFO if process.returncode == REPLACED else logging.ERROR
        log.log(
            level,
            "worker.process_ended",
            extra={"pid": process.pid, "exit_code": process.returncode, "next_in_s": pause_s},
        )
        self._close()

    def ask_to_end(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def wait(self, until: float) -> None:
        """Return when the process has ended; at ``until`` it is killed."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("worker.process_killed", extra={"pid": self.process.pid})
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None


class Supervisor:
    """``processes`` worker processes for ``queues``, until it is told to stop."""

    def __init__(self, settings: Settings, queues: Sequence[Queue], processes: int) -> None:
        command = [sys.executable, "-m", "app.workers.worker_child", ",".join(queues)]
        environment = _environment(settings, processes)
        self._places = [_Place(command, environment) for _ in range(processes)]
        self._grace_s = settings.stop_grace_s + LAST_WORDS_S

    def run(self, stopping: threading.Event) -> None:
        """Keep the processes running; when ``stopping`` is set, let them end and wait for it."""
        while not stopping.wait(POLL_S):
            for place in self._places:
                place.look()
        for place in self._places:
            place.ask_to_end()
        until = time.monotonic() + self._grace_s
        for place in self._places:
            place.wait(until)


def supervise(settings: Settings, queues: Sequence[Queue], processes: int) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError."""
    if not settings.queue_url:
        raise ConfigurationError("QUEUE_URL is not set: without a broker the service itself does the work")
    stopping = threading.Event()
    set_when_told_to_stop(stopping)
    if settings.worker_metrics_port:
        _serve_metrics(settings)
    Supervisor(settings, queues, processes).run(stopping)


def _serve_metrics(settings: Settings) -> None:
    """Tell what the processes count; they add it up in a folder."""
    port = settings.worker_metrics_port
    share_counters(working_folder(settings) / f"counters-{port}")
    from app.core.telemetry import serve_shared

    try:
        serve_shared(settings.host, port)
    except OSError as error:
        raise ConfigurationError(f"WORKER_METRICS_PORT {port}: {error.strerror}") from None


def named_queues(names: str) -> tuple[Queue, ...]:
    """Queues by their names, separated by commas. Raises ConfigurationError."""
    known = {queue.value: queue for queue in ALL_QUEUES}
    asked = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in asked if name not in known]
    if unknown or not asked:
        named = ", ".join(unknown) or repr(names)
        raise ConfigurationError(f"there is no queue {named}; known: {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(asked))


def _environment(settings: Settings, processes: int) -> dict[str, str]:
    """All processes together use no more threads than engines may."""
    return {
        **os.environ,
        "ENGINE_THREADS": str(max(1, settings.threads // processes)),
        "PYTHONPATH": import_path(),
    }
