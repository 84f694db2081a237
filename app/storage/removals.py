"""A storage that does not forget what it could not remove."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from app.core.config import Settings
from app.core.exceptions import AppError
from app.storage.base import ListedFile, Storage, StorageWriter
from app.storage.registry import open_storage

log = logging.getLogger(__name__)

MOST_REMEMBERED = 100_000
"""Keys; beyond it the comparison of storage and calls finds them, as it does after this process."""


class RemovalKeeper:
    """Any storage; whatever could not be removed from it is tried again by ``sweep``. Thread-safe."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._waiting: dict[str, None] = {}
        self._lock = threading.Lock()

    @classmethod
    def opened(cls, settings: Settings) -> Self:
        return cls(open_storage(settings))

    def create(self) -> StorageWriter:
        return self.storage.create()

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        return self.storage.local_path(key)

    def read(self, key: str, first: int = 0, count: int | None = None) -> Iterator[bytes]:
        return self.storage.read(key, first, count)

    def exists(self, key: str) -> bool:
        return self.storage.exists(key)

    def listed(self, after: str = "") -> Iterator[ListedFile]:
        return self.storage.listed(after)

    def check(self) -> None:
        self.storage.check()

    def delete(self, key: str) -> None:
        """Remove; raises as every storage does, and then tries again later all the same."""
        self.delete_all((key,))

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove one after the other; after the first failure the rest waits too, and that is raised."""
        failure: AppError | None = None
        for key in keys:
            try:
                if failure is None:
                    self.storage.delete(key)
                    continue
            except AppError as error:
                failure = error
            self._keep(key)
        if failure is not None:
            raise failure

    def sweep(self) -> int:
        """As every storage does; and remove what could not be removed before."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        if waiting:
            self.delete_all(waiting)
            log.info("recordings.removed_late", extra={"recordings": len(waiting)})
        return self.storage.sweep()

    def _keep(self, key: str) -> None:
        with self._lock:
            if len(self._waiting) < MOST_REMEMBERED:
                self._waiting[key] = None
