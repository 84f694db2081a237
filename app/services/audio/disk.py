"""A full disk, whoever notices it first, becomes one error."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from app.core.exceptions import InsufficientStorage

NUMBERS = (errno.ENOSPC, errno.EDQUOT)
WORDS = ("No space left on device", "Disk quota exceeded")
"""What a program says of it; child processes run with the plain locale, so they say it in English."""


@contextmanager
def disk_full_translated() -> Iterator[None]:
    """Turn an OSError about a full disk into InsufficientStorage."""
    try:
        yield
    except OSError as error:
        if error.errno in NUMBERS:
            raise InsufficientStorage from error
        raise


def refuse_full_disk(messages: str) -> None:
    """Raise InsufficientStorage when a child process says that the disk is full."""
    if any(words in messages for words in WORDS):
        raise InsufficientStorage
