"""The spawned process that holds the models: starts it, feeds it, ends it at a deadline, starts it again."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from app.core.config import Settings
from app.core.exceptions import DeadlineExceeded, EngineCrashed, EngineUnavailable, ResourceLimit
from app.workers.interpreter import import_path

log = logging.getLogger(__name__)

QUICK_DEATH_S = 5.0
MOST_QUICK_DEATHS = 3
STOP_POLL_S = 0.5
OUT_OF_MEMORY = 71
"""Exit code of a child whose request needed more memory than there was."""
OVERFULL = 72
"""Exit code of a child that could not even take a request in."""
_FULL = 0.8
"""Share of the memory allowed from which a violent end counts as one for want of memory."""
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
ALLOCATION = (
    "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.arena_max=1:"
    "glibc.malloc.trim_threshold=4294967296"
)
"""For GLIBC_TUNABLES, which other C libraries ignore. A recogniser takes and gives back hundreds of megabytes
of passing arrays a window; asked from the system each time, they cost a third of its encoder's time in page
faults. This way memory that was used once stays with the process, in large pages."""


@dataclass
class _Request:
    id: int
    stage: str
    operation: str
    arguments: tuple[Any, ...]
    answer: Future[Any] = field(default_factory=Future)
    started: bool = False


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    connection: Connection
    started_at: float
    peak_at_birth_mb: float | None = None
    """What the kernel told as its peak before it had done anything; None until it said so."""
    ended_by_us: bool = False
    replaced: bool = False
    """To be ended as soon as it has nothing to do."""


class EngineProcess:
    """One child process that runs one request at a time, in the order in which they came.

    Thread-safe. When the child dies, the request that it was working on fails with EngineCrashed; those
    that had not begun are given to the next child, so that one bad recording harms no other call.
    ``on_lost`` is called after each death (models are no longer loaded).
    """

    def __init__(self, settings: Settings, on_lost: Callable[[], None] | None = None) -> None:
        self._settings = settings
        self.on_lost = on_lost
        self._lock = threading.RLock()
        self._pending: dict[int, _Request] = {}
        self._next_id = 0
        self._child: _Child | None = None
        self._quick_deaths = 0
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """Process id of the child, None while there is none."""
        child = self._child
        return child.process.pid if child else None

    def start(self) -> None:
        """Start the child; harmless when it runs."""
        with self._lock:
            if self._child is None and not self._stopping:
                self._spawn()

    def stop(self) -> None:
        """End the child; what was pending fails with EngineCrashed."""
        with self._lock:
            self._stopping = True
            child = self._child
        if child is not None:
            child.process.kill()
            child.process.wait()

    def replace(self) -> None:
        """Let another child answer from the next moment on at which nothing is to be done."""
        with self._lock:
            if self._child is not None:
                self._child.replaced = True
                self._end_replaced()

    def submit(self, stage: str, operation: str, *arguments: Any) -> Future[Any]:
        """Queue a request; ``stage`` names it in errors. The future holds its value or its AppError."""
        with self._lock:
            if self._stopping:
                raise EngineUnavailable(stage, "the service is stopping")
            request = _Request(self._next_id, stage, operation, arguments)
            self._next_id += 1
            self._pending[request.id] = request
            if self._child is None:
                self._quick_deaths = 0
                self._spawn()
            else:
                self._send(request)
        return request.answer

    def request(
        self, stage: str, operation: str, *arguments: Any, deadline: float, stopped: threading.Event
    ) -> Any:
        """Run a request and wait for its value until ``deadline`` (on the monotonic clock).

        A request still in work then ends the child; it raises DeadlineExceeded. So does one in work when
        ``stopped`` is set, which gives None.
        """
        answer = self.submit(stage, operation, *arguments)
        while not stopped.is_set():
            left_s = deadline - time.monotonic()
            try:
                return answer.result(timeout=max(0.0, min(left_s, STOP_POLL_S)))
            except FutureTimeout:
                if answer.done():
                    return answer.result()
            if left_s <= 0:
                self._give_up(answer)
                detail = f"stage {stage} was not finished at the call's deadline"
                raise DeadlineExceeded(stage, detail) from None
        self._give_up(answer)
        return None

    def _give_up(self, answer: Future[Any]) -> None:
        with self._lock:
            request = next((item for item in self._pending.values() if item.answer is answer), None)
            if request is None:
                return
            del self._pending[request.id]
            child = self._child
            if child is None:
                return
            if request.started:
                log.warning("engine.ended", extra={"stage": request.stage})
                child.ended_by_us = True
                child.process.kill()
            else:
                self._send_message(child, ("skip", request.id))

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.workers.engine_child", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=child_environment(self._settings),
                start_new_session=True,  # Ctrl-C goes to the API, which lets calls in work end first
            )
        child = _Child(process, Connection(ours.detach()), time.monotonic())
        self._child = child
        self._send_message(child, ("settings", self._settings))
        for request in self._pending.values():
            self._send(request)
        threading.Thread(target=self._listen, args=(child,), name="engine-answers", daemon=True).start()
        log.info("engine.started", extra={"pid": process.pid})

    def _send(self, request: _Request) -> None:
        if self._child is not None:
            self._send_message(
                self._child, ("run", request.id, request.stage, request.operation, request.arguments)
            )

    def _send_message(self, child: _Child, message: tuple[Any, ...]) -> None:
        try:
            child.connection.send(message)
        except OSError:  # it died: its listener sees the end of the stream and sends the request again
            log.debug("engine.send_failed")

    def _listen(self, child: _Child) -> None:
        while True:
            try:
                message = child.connection.recv()
            except (EOFError, OSError):
                break
            if message[0] == "born":
                child.peak_at_birth_mb = message[1]
            else:
                self._receive(message)
        exit_code, peak_mb = _wait(child.process)
        child.connection.close()
        self._lost(child, exit_code, _own_peak_mb(child, peak_mb))

    def _receive(self, message: tuple[Any, ...]) -> None:
        kind, request_id, *rest = message
        with self._lock:
            request = self._pending.get(request_id)
            if request is None:
                return
            if kind == "started":
                request.started = True
                return
            del self._pending[request_id]
            self._end_replaced()
        if kind == "done":
            request.answer.set_result(rest[0])
        else:
            request.answer.set_exception(rest[0])

    def _end_replaced(self) -> None:
        """To be called under the lock."""
        child = self._child
        if child is not None and child.replaced and not self._pending:
            child.ended_by_us = True
            child.process.kill()

    def _lost(self, child: _Child, exit_code: int, peak_mb: float) -> None:
        with self._lock:
            self._child = None
            quick = time.monotonic() - child.started_at < QUICK_DEATH_S
            if not child.ended_by_us:  # a call that is cancelled says nothing about the engine
                self._quick_deaths = self._quick_deaths + 1 if quick else 0
            started = [request for request in self._pending.values() if request.started]
            hopeless = self._stopping or exit_code == OVERFULL or self._quick_deaths >= MOST_QUICK_DEATHS
            failed = list(self._pending.values()) if hopeless else started
            for request in failed:
                del self._pending[request.id]
            if exit_code == OUT_OF_MEMORY or (child.replaced and not failed):
                log.info("engine.replaced", extra={"exit_code": exit_code})
            elif not self._stopping:
                log.error("engine.lost", extra={"exit_code": exit_code, "failed": len(failed)})
            if self._pending:
                self._spawn()
        for request in failed:
            request.answer.set_exception(self._why_lost(request.stage, exit_code, peak_mb))
        if self.on_lost is not None and not self._stopping:
            self.on_lost()

    def _why_lost(self, stage: str, exit_code: int, peak_mb: float) -> EngineCrashed | ResourceLimit:
        limit_mb = self._settings.engine_memory_mb
        killed_at_limit = limit_mb > 0 > exit_code and peak_mb >= _FULL * limit_mb
        if killed_at_limit or exit_code in (OUT_OF_MEMORY, OVERFULL):
            return ResourceLimit(stage, f"the engine process ended when it had taken {peak_mb:.0f} MB")
        return EngineCrashed(stage, f"the engine process ended with code {exit_code}")


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """How a process ended, and the most memory that it held, in MB; 0 where that is not known."""
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except ChildProcessError:  # whoever ended it has waited for it
        return process.wait(), 0.0
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, in_mb(usage.ru_maxrss)


def _own_peak_mb(child: _Child, peak_mb: float) -> float:
    """``peak_mb`` where the child itself grew that large, else 0 (not known, or less than it began with).

    Linux begins a process's peak with that of whoever spawned it (exec keeps the most that the memory which
    it replaces ever held), so a service that once held much would make each of its children seem full.
    """
    born_with_mb = child.peak_at_birth_mb
    return peak_mb if born_with_mb is not None and peak_mb > born_with_mb else 0.0


def in_mb(max_rss: int) -> float:
    """``ru_maxrss`` of the system at hand in MB (2^20)."""
    return max_rss * _RSS_UNIT / 2**20


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment of a process that runs engines: thread limits, memory, no look-ups at model hubs."""
    threads = str(settings.threads)
    return {
        **os.environ,
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "GLIBC_TUNABLES": os.environ.get("GLIBC_TUNABLES", ALLOCATION),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": import_path(),
    }
