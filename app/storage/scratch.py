"""Private working folders, removed when their work ends and swept at the start when it ended badly."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

from app.core.config import Settings
from app.storage.locked_file import is_abandoned, lock_or_none, translated_errors

LOCK_NAME = ".in-use"


class Scratch:
    """Makes folders under ``root``. Each holds a lock for as long as its owner lives: a lock that nobody
    holds marks the leftovers of a process that was killed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A new empty folder that only this user can read; gone, with all in it, afterwards."""
        path = self.root / uuid4().hex
        with translated_errors():
            path.mkdir(parents=True, mode=0o700)
            lock = lock_or_none(path / LOCK_NAME)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
            if lock is not None:
                lock.close()

    def sweep(self) -> int:
        """Remove the folders of processes that are gone; returns how many."""
        if not self.root.is_dir():
            return 0
        abandoned = [path for path in self.root.iterdir() if is_abandoned(path / LOCK_NAME)]
        for path in abandoned:
            shutil.rmtree(path, ignore_errors=True)
        return len(abandoned)


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
