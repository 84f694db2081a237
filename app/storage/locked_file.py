"""Files whose lock says that their process still lives: a kill -9 releases it, whatever else it leaves."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from app.core.exceptions import InsufficientStorage, StorageUnavailable

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def locked(path: Path) -> BinaryIO:
    """Make ``path``, a name that nobody else uses, open it for writing and lock it.

    Whoever sweeps may meet the file before it is locked, and take it for abandoned: then it is made again.
    """
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX)  # waits for nobody but a sweep, while that removes a file
        except OSError:  # not every file system has locks
            file.close()
            raise
        if _is_at(path, file):
            return file
        file.close()


@contextmanager
def abandoned(path: Path) -> Iterator[bool]:
    """Whether nobody holds the lock of ``path``. If so, it is held meanwhile: sweep what is left under it."""
    try:
        file = os.fdopen(os.open(path, os.O_RDWR), "r+b")
    except OSError:
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield _is_at(path, file)


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def translated_errors() -> Iterator[None]:
    """OSError becomes InsufficientStorage or StorageUnavailable; neither shows a path."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise InsufficientStorage from error
        raise StorageUnavailable(f"the storage answered: {os.strerror(error.errno or 0)}") from error
