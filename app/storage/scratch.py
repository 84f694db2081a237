"""Private working folders, removed when their work ends and swept at the start when it ended badly."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import BinaryIO
from uuid import uuid4

from app.core.config import Settings
from app.storage.locked_file import abandoned, locked, translated_errors

LOCK_NAME = ".in-use"


class Scratch:
    """Makes folders under ``root``. Each holds a lock for as long as its owner lives: a lock that nobody
    holds marks the leftovers of a process that was killed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A new empty folder that only this user can read; gone, with all in it, afterwards."""
        with translated_errors():
            path, lock = self._new()
        with lock:
            try:
                yield path
            finally:
                shutil.rmtree(path, ignore_errors=True)

    def sweep(self) -> int:
        """Remove the folders of processes that are gone; returns how many."""
        if not self.root.is_dir():
            return 0
        swept = 0
        for path in self.root.iterdir():
            with abandoned(path / LOCK_NAME) as is_left:
                if is_left:
                    shutil.rmtree(path, ignore_errors=True)
                    swept += 1
        return swept

    def _new(self) -> tuple[Path, BinaryIO]:
        while True:
            path = self.root / uuid4().hex
            path.mkdir(parents=True, mode=0o700)
            with suppress(FileNotFoundError):  # swept before it was locked
                return path, locked(path / LOCK_NAME)


def working_folder(settings: Settings) -> Path:
    """WORK_DIR; else beside local recordings, so that they share a disk whose room is known; else the
    system's folder for such things."""
    if settings.work_dir is not None:
        return settings.work_dir.expanduser().absolute()
    scheme, _, location = settings.storage_url.partition("://")
    return Path(location).expanduser().absolute() if scheme == "file" else Path(gettempdir()) / "darwix"


def own_folders(settings: Settings) -> tuple[Path, ...]:
    """The folders of this machine that the service fills."""
    scheme, _, location = settings.storage_url.partition("://")
    recordings = (Path(location).expanduser().absolute(),) if scheme == "file" else ()
    return tuple(dict.fromkeys((*recordings, working_folder(settings))))


def scratch_of(settings: Settings) -> Scratch:
    return Scratch(working_folder(settings) / "scratch")
