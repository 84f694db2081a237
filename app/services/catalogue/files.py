"""Reading files that belong to somebody else: they may go, change or be closed to us at any time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from io import BufferedReader
from pathlib import Path

from app.core.exceptions import InputError

READ_BYTES = 1024 * 1024


class FileUnusable(InputError):
    """A file of a catalogue that cannot be read as it should. Only whoever loads the catalogue sees it."""

    title = "The file cannot be read"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """The file for reading. Raises FileUnusable."""
    with _reading():
        source = path.open("rb")
    with source:
        yield source


def size_of(source: BufferedReader) -> int:
    return os.fstat(source.fileno()).st_size


def first(source: BufferedReader, count: int) -> bytes:
    """The next ``count`` bytes, fewer at the end. Raises FileUnusable."""
    with _reading():
        return source.read(count)


def digest(source: BufferedReader) -> str:
    """SHA-256 of what is left to read, in hexadecimal. Raises FileUnusable."""
    with _reading():
        return file_digest(source, "sha256").hexdigest()


def chunks(source: BufferedReader) -> Iterator[bytes]:
    """The whole file. Raises FileUnusable, also when it is written to meanwhile."""
    before = os.fstat(source.fileno())
    source.seek(0)
    left = before.st_size
    while chunk := first(source, READ_BYTES):
        left -= len(chunk)
        if left < 0:  # somebody may be writing to it faster than it is read
            break
        yield chunk
    after = os.fstat(source.fileno())
    if left or before.st_mtime_ns != after.st_mtime_ns:
        raise FileUnusable("changed", "it was written to while it was read: load it when it is complete")


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileUnusable("unreadable", os.strerror(error.errno or 0)) from error
