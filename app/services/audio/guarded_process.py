"""Runs a program that reads hostile input: no shell, limited time, memory and output, nothing left behind."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.core.exceptions import StageFailed
from app.services.audio import launch

LAUNCHER = Path(launch.__file__)
HEAD_BYTES = 64 * 1024
TAIL_BYTES = 8 * 1024
POLL_S = 0.005
STOP_POLL_S = 0.5
CPU_SHARE = 0.5
"""On a busy machine the kernel kills well before its accounts show the whole limit."""
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
"""Nothing else of the environment reaches the program: no proxy, no report file, no secret."""

OUT_OF_MEMORY = re.compile(
    r"^(?! ).*(?:Cannot allocate memory|Out of memory|pthread_create|bad_alloc|MemoryError)", re.MULTILINE
)
FILE_TOO_LARGE = re.compile(r"^(?! ).*File too large", re.MULTILINE)
"""What programs say at a limit. Indented lines are left out: there ffmpeg prints the file's own tags."""


class Limit(StrEnum):
    """A limit as the detail of an error names it."""

    WALL = "wall time"
    CPU = "CPU time"
    MEMORY = "memory"
    OUTPUT = "output size"
    CALLER = "caller's"


@dataclass(frozen=True)
class RunLimits:
    """What one run may use. ``memory_bytes`` is address space and holds on Linux only. ``stopped`` is asked
    now and then whether the caller still wants the result."""

    wall_s: float
    cpu_s: int
    memory_bytes: int
    output_bytes: int
    stopped: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Finished:
    """How a run ended: its exit code (negative: the signal), what it said, and the limit that stopped it."""

    returncode: int
    messages: str
    tripped: Limit | None


def run_guarded(command: Sequence[str], folder: Path, limits: RunLimits) -> Finished:
    """Run ``command`` (an argument list, the program's full path first) in ``folder`` and wait for it.

    The program gets no standard input, a process group of its own and a bare environment. When its time is
    over the whole group is killed. Raises StageFailed when it cannot be started at all.
    """
    wrapped = [
        sys.executable, "-I", "-S", str(LAUNCHER),
        str(limits.cpu_s), str(limits.memory_bytes), str(limits.output_bytes),
    ]  # fmt: skip
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    deadline = time.monotonic() + limits.wall_s
    with subprocess.Popen(
        [*wrapped, *command],
        cwd=folder,
        env={**environment, "LC_ALL": "C", "AV_LOG_FORCE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            messages = _listen(process, deadline, limits.stopped)
            cpu_s = _reap(process, deadline, limits.stopped)
        finally:
            in_time = process.returncode is not None
            if not in_time:
                _kill_group(process)
    if not in_time:
        limit = Limit.CALLER if time.monotonic() < deadline else Limit.WALL
        return Finished(process.returncode, messages, limit)
    if process.returncode == launch.CANNOT_START:
        raise StageFailed("audio", "the decoder could not be started")
    return Finished(process.returncode, messages, _tripped(process.returncode, messages, cpu_s, limits))


def _listen(process: subprocess.Popen[bytes], deadline: float, stopped: Callable[[], bool]) -> str:
    """What the program says until it falls silent, the deadline passes or it is stopped: start and end."""
    assert process.stderr is not None
    head, tail = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stderr, selectors.EVENT_READ)
        while (left_s := deadline - time.monotonic()) > 0 and not stopped():
            if not selector.select(min(left_s, STOP_POLL_S)):
                continue
            chunk = os.read(process.stderr.fileno(), 64 * 1024)
            if not chunk:
                break
            room = HEAD_BYTES - len(head)
            head += chunk[:room]
            tail = (tail + chunk[room:])[-TAIL_BYTES:] if len(chunk) > room else tail
    text = bytes(head) + (b"\n" + bytes(tail) if tail else b"")
    return text.decode("utf-8", "replace")


def _reap(process: subprocess.Popen[bytes], deadline: float, stopped: Callable[[], bool]) -> float:
    """Wait until the deadline or a stop; CPU seconds used. ``returncode`` stays None while it runs on."""
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_utime + usage.ru_stime
        if time.monotonic() >= deadline or stopped():
            return 0.0
        time.sleep(POLL_S)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tripped(returncode: int, messages: str, cpu_s: float, limits: RunLimits) -> Limit | None:
    # Old versions of ffmpeg end with 0 although they could not write.
    if FILE_TOO_LARGE.search(messages) or returncode == -signal.SIGXFSZ:
        return Limit.OUTPUT
    if returncode in (-signal.SIGKILL, -signal.SIGXCPU) and cpu_s >= CPU_SHARE * limits.cpu_s:
        return Limit.CPU
    if returncode != 0 and OUT_OF_MEMORY.search(messages):
        return Limit.MEMORY
    # Programs that do not check for memory end by such a signal; so does one that the system's killer picks.
    if returncode in (-signal.SIGKILL, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS):
        return Limit.MEMORY
    return None
