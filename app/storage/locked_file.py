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


def lock_or_none(path: Path) -> BinaryIO | None:
    """Open ``path`` for writing (made if absent) and lock it; None while somebody else holds the lock."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def is_abandoned(path: Path) -> bool:
    """Whether nobody holds the lock of ``path``, which exists."""
    try:
        file = os.fdopen(os.open(path, os.O_RDWR), "r+b")
    except OSError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


@contextmanager
def translated_errors() -> Iterator[None]:
    """OSError becomes InsufficientStorage or StorageUnavailable; neither shows a path."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise InsufficientStorage from error
        raise StorageUnavailable(f"the storage answered: {os.strerror(error.errno or 0)}") from error
