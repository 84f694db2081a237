"""Recordings that are stored and belong to no call yet: noted in a file that a kill -9 leaves behind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from app.core.config import Settings
from app.core.exceptions import AppError, InsufficientStorage
from app.storage.locked_file import abandoned, locked, translated_errors
from app.storage.scratch import working_folder


class Intents:
    """The notes of one process, in a file of its own that is locked while the process lives. Not thread-safe.

    A note is made before the recording is finished and dropped when it belongs to a call or is removed; one
    that is found in the file of a process that is gone tells of bytes that may be of no use.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / uuid4().hex
        self._file: BinaryIO | None = None
        self._noted: dict[str, str] = {}

    def note(self, key: str, call_id: str) -> None:
        """The bytes under ``key`` are meant for a call. Raises InsufficientStorage and StorageUnavailable."""
        self._write({**self._noted, key: call_id})

    def drop(self, key: str) -> None:
        """What is said of it is no longer so; a note that cannot be removed does no harm."""
        if key in self._noted:
            with suppress(AppError):
                self._write({noted: call_id for noted, call_id in self._noted.items() if noted != key})

    def close(self) -> None:
        """Leave the file only where it still says something."""
        if self._file is not None:
            if not self._noted:
                self._path.unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def abandoned(self) -> Iterator[dict[str, str]]:
        """What processes that are gone left, call ids by key; forgotten when the caller asks for more."""
        if not self._folder.is_dir():
            return
        for path in sorted(self._folder.iterdir()):
            if path == self._path:
                continue
            with abandoned(path) as is_left:
                if is_left:
                    yield _read(path)
                    path.unlink(missing_ok=True)

    def _write(self, noted: dict[str, str]) -> None:
        with translated_errors():
            if self._file is None:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._file = locked(self._path)
            text = json.dumps(noted).encode() + b"\n"
            # Written before it is shortened: a kill leaves the old first line or the new one.
            if os.pwrite(self._file.fileno(), text, 0) < len(text):
                raise InsufficientStorage
            os.ftruncate(self._file.fileno(), len(text))
        self._noted = noted


def intents_of(settings: Settings) -> Intents:
    """Apart for each database and storage: what belongs to no call of one may belong to one of another."""
    installation = sha256(f"{settings.database_url}\n{settings.storage_url}".encode()).hexdigest()[:16]
    return Intents(working_folder(settings) / "ingest" / installation)


def _read(path: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        with path.open("rb") as file:
            noted = json.loads(file.readline())
        if isinstance(noted, dict):
            return {str(key): str(call_id) for key, call_id in noted.items()}
    return {}
