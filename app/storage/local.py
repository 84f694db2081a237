"""Recordings in a folder of this machine (``file://FOLDER``)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Self
from uuid import uuid4

from app.core.config import Settings
from app.core.exceptions import InsufficientStorage, StorageUnavailable
from app.storage.base import KEY_PATTERN, ListedFile, StoredFile, key_path
from app.storage.locked_file import abandoned, locked, translated_errors

LEAST_FREE_BYTES = 1024 * 1024
READ_BYTES = 256 * 1024
SYNC_BYTES = 8 * 1024 * 1024
"""A large upload goes to the disk as it comes, so that its last byte waits for this much at most."""


class LocalStorage:
    """``FOLDER/incoming`` holds uploads as they arrive, ``FOLDER/audio/ab/…`` the finished ones.

    A finished file was flushed to the disk before its name appeared. An upload's file is locked while its
    process lives, so that what a killed one left is known and removed by ``sweep``.
    """

    def __init__(self, location: str) -> None:
        self.root = Path(location).expanduser().absolute()
        self._incoming = self.root / "incoming"
        self._audio = self.root / "audio"

    @classmethod
    def opened(cls, settings: Settings) -> Self:
        return cls(settings.storage_url.partition("://")[2])

    def create(self) -> LocalWriter:
        with translated_errors():
            self._incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
            return LocalWriter(self._incoming / uuid4().hex, self._audio)

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        path = self._path(key)
        if not path.is_file():
            raise StorageUnavailable("the recording is missing from the storage")
        yield path

    def read(self, key: str, first: int = 0, count: int | None = None) -> Iterator[bytes]:
        path = self._path(key)
        if not path.is_file():
            raise StorageUnavailable("the recording is missing from the storage")
        with translated_errors():
            return _pieces(path.open("rb"), first, count)

    def delete(self, key: str) -> None:
        with translated_errors():
            self._path(key).unlink(missing_ok=True)

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def listed(self, after: str = "") -> Iterator[ListedFile]:
        with translated_errors():
            folders = sorted(self._audio.glob("??"))
        for folder in folders:
            if folder.name >= after[:2]:
                yield from _listed_in(folder, after)

    def check(self) -> None:
        with translated_errors():
            self.root.mkdir(parents=True, exist_ok=True)
            room = os.statvfs(self.root)
        if room.f_bavail * room.f_frsize < LEAST_FREE_BYTES:
            raise InsufficientStorage
        if not os.access(self.root, os.W_OK):
            raise StorageUnavailable("the storage folder cannot be written")

    def sweep(self) -> int:
        """Remove uploads whose process is gone; returns how many."""
        if not self._incoming.is_dir():
            return 0
        swept = 0
        for path in self._incoming.iterdir():
            with abandoned(path) as is_left:
                if is_left:
                    path.unlink(missing_ok=True)
                    swept += 1
        return swept

    def _path(self, key: str) -> Path:
        return self.root / key_path(key)


def _pieces(file: BinaryIO, first: int, count: int | None) -> Iterator[bytes]:
    with file, translated_errors():
        file.seek(first)
        while piece := file.read(READ_BYTES if count is None else min(READ_BYTES, count)):
            count = count if count is None else count - len(piece)
            yield piece


def _listed_in(folder: Path, after: str) -> list[ListedFile]:
    """One folder at a time: it holds a 256th of all."""
    found = []
    with translated_errors(), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name > after and KEY_PATTERN.fullmatch(entry.name):
                try:
                    made_s = entry.stat().st_mtime
                except FileNotFoundError:  # deleted since
                    continue
                found.append(ListedFile(entry.name, datetime.fromtimestamp(made_s, UTC)))
    return sorted(found, key=lambda file: file.key)


class LocalWriter:
    """One upload on its way to the disk."""

    def __init__(self, path: Path, audio: Path) -> None:
        self._path = path
        self._audio = audio
        self._digest = sha256()
        self._size = 0
        self._synced = 0
        self._file: BinaryIO | None = locked(path)

    @property
    def key(self) -> str:
        return self._path.name

    def write(self, chunk: bytes) -> None:
        if self._file is None:
            raise StorageUnavailable("the upload's file is closed")
        with translated_errors():
            self._file.write(chunk)
            self._size += len(chunk)
            if self._size - self._synced >= SYNC_BYTES:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._synced = self._size
        self._digest.update(chunk)

    def commit(self) -> StoredFile:
        if self._file is None:
            raise StorageUnavailable("the upload's file is closed")
        target = self._audio / self.key[:2]
        with translated_errors():
            self._file.flush()
            os.fsync(self._file.fileno())
            target.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.rename(target / self.key)
            _sync_folder(target)
        self._close()
        return StoredFile(self.key, self._size, self._digest.hexdigest())

    def discard(self) -> None:
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:  # a full disk: the buffered rest of a file that is discarded anyway
                if self._path.exists():
                    raise InsufficientStorage from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
