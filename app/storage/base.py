"""The port behind which the bytes of recordings are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self

from app.core.config import Settings

KEY_PATTERN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class StoredFile:
    """A finished file: ``key`` was made by the storage; ``sha256`` is in hexadecimal."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ListedFile:
    """A finished file as a listing shows it; ``stored_at`` is in UTC."""

    key: str
    stored_at: datetime


class StorageWriter(Protocol):
    """One file as it arrives. Not thread-safe. Exactly one of ``commit`` and ``discard`` ends it."""

    @property
    def key(self) -> str:
        """What ``commit`` will name it by."""
        ...

    def write(self, chunk: bytes) -> None:
        """Append. Raises InsufficientStorage when there is no room, StorageUnavailable otherwise."""
        ...

    def commit(self) -> StoredFile:
        """Make the file durable and visible; it survives a crash from here on."""
        ...

    def discard(self) -> None:
        """Leave nothing behind. Harmless after ``commit`` or a second time."""
        ...


class Storage(Protocol):
    """Bytes by key. Keys come from ``commit`` alone: no name from a client ever becomes one. Thread-safe.

    Every method may raise StorageUnavailable; none waits for it longer than a bounded number of tries.
    """

    @classmethod
    def opened(cls, settings: Settings) -> Self:
        """The storage that STORAGE_URL names; connects to nothing. Raises ConfigurationError."""
        ...

    def create(self) -> StorageWriter: ...

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """A seekable private file with the bytes of ``key``, for as long as the context is open.

        Raises InsufficientStorage where a copy is needed and finds no room.
        """
        ...

    def read(self, key: str, first: int = 0, count: int | None = None) -> Iterator[bytes]:
        """``count`` bytes from the byte ``first`` on (None: all that follow), in pieces, without a copy.

        Whether ``key`` is there is known at once; StorageUnavailable may also come in the middle.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove; a key that is not there is fine."""
        ...

    def exists(self, key: str) -> bool: ...

    def listed(self, after: str = "") -> Iterator[ListedFile]:
        """All finished files whose key is greater than ``after``, in the order of their keys.

        What lies there under other names than this service gives is passed over.
        """
        ...

    def sweep(self) -> int:
        """Remove what uploads of processes that are gone left; returns how many."""
        ...

    def check(self) -> None:
        """Raises StorageUnavailable or InsufficientStorage when nothing can be written."""
        ...


def key_path(key: str) -> str:
    """Where a file lies below the root of every backend, so that a folder and a bucket can be exchanged.

    Raises ValueError for anything but a key that this service made.
    """
    if not KEY_PATTERN.fullmatch(key):
        raise ValueError("not a storage key")
    return f"audio/{key[:2]}/{key}"
