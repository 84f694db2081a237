"""A lock that threads and processes share by a file's name, and that is gone when nobody holds it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

POLL_S = 0.02


@contextmanager
def held_lock(path: Path, wait_s: float) -> Iterator[bool]:
    """Hold ``path`` against everybody else; False when it was not to be had within ``wait_s``, or at all.

    A process that is killed lets go of it.
    """
    descriptor = _taken(path, wait_s)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            # Removed while it is held, so that nobody can hold a file that has this name no more for long.
            with suppress(OSError):
                path.unlink()
            os.close(descriptor)


def _taken(path: Path, wait_s: float) -> int | None:
    until = time.monotonic() + wait_s
    while True:
        descriptor = None
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            if _is_mine(descriptor, path):
                return descriptor
        except OSError:
            if descriptor is not None:
                os.close(descriptor)
            return None
        os.close(descriptor)
        if time.monotonic() >= until:
            return None
        time.sleep(POLL_S)


def _is_mine(descriptor: int, path: Path) -> bool:
    """Whether nobody else holds the file and it still has its name."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False
