"""The port behind which the bytes of recordings are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class StoredFile:
    """A finished file: ``key`` was made by the storage; ``sha256`` is in hexadecimal."""

    key: str
    size: int
    sha256: str


class StorageWriter(Protocol):
    """One file as it arrives. Not thread-safe. Exactly one of ``commit`` and ``discard`` ends it."""

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
    """Bytes by key. Keys come from ``commit`` alone: no name from a client ever becomes one. Thread-safe."""

    def create(self) -> StorageWriter: ...

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """A seekable private file with the bytes of ``key``, for as long as the context is open."""
        ...

    def delete(self, key: str) -> None:
        """Remove; a key that is not there is fine."""
        ...

    def exists(self, key: str) -> bool: ...

    def keys(self) -> Iterator[str]: ...

    def check(self) -> None:
        """Raises StorageUnavailable or InsufficientStorage when nothing can be written."""
        ...
