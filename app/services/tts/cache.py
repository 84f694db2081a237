"""Speech kept on disk for those who ask again, in scopes that can be forgotten.

What is kept are people's words: every folder and file is for this user alone, each scope has a folder of its
own, and nothing stays longer than its time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from app.core.file_lock import held_lock

log = logging.getLogger(__name__)

SUFFIXES = (".mp3", ".wav")
HEAD_BYTES = 64 + 1 + 4 + 1
"""First line of a kept file: SHA-256 of the sound in hexadecimal, a space, the suffix."""
ROOM_WAIT_S = 10.0
"""Longest wait for the one who writes to the cache just now: a copy of some megabytes."""


@dataclass(frozen=True)
class SpeechKey:
    """All that the sound of a text hangs on."""

    engine: str
    voice: str
    language: str
    text: str

    @property
    def digest(self) -> str:
        return _sha256(json.dumps(astuple(self)))


@dataclass(frozen=True)
class _Kept:
    path: Path
    size: int
    made_s: float
    used_ns: int


class SpeechCache:
    """Safe among threads and among processes that share ``root``. Its own trouble is never the caller's.

    ``limit_bytes`` bounds all scopes together (what was not used for longest goes first; 0 keeps nothing),
    ``kept_s`` the age of each sound, ``wait_s`` how long one waits for another who speaks the same text.
    The time of a file's making is its modification time, that of its last use its access time.
    """

    def __init__(self, root: Path, *, limit_bytes: int, kept_s: float, wait_s: float) -> None:
        self.root = root
        self._scopes = root / "scopes"
        self._locks = root / "locks"
        self._limit_bytes = limit_bytes
        self._kept_s = kept_s
        self._wait_s = wait_s

    def spoken(self, scope: str, key: SpeechKey, folder: Path, speak: Callable[[], Path]) -> Path:
        """The sound of ``key`` as a new file in ``folder``: a copy of the kept one, or what ``speak`` makes.

        Of several who ask at the same time one speaks and the others wait for it. Raises what ``speak`` does.
        """
        if not self._limit_bytes:
            return speak()
        entry = self._folder_of(scope) / key.digest
        found = self._copy(entry, folder)
        if found is not None:
            return found
        with self._turn(f"{entry.parent.name}-{entry.name}", self._wait_s):
            found = self._copy(entry, folder)
            if found is not None:
                return found
            sound = speak()
            self._keep(entry, sound)
        return sound

    def forget(self, scope: str) -> None:
        """Remove all that was kept under ``scope``."""
        folder = self._folder_of(scope)
        if not folder.exists():
            return
        with self._turn("room", ROOM_WAIT_S):
            try:
                shutil.rmtree(folder)
            except FileNotFoundError:
                return
            except OSError as error:
                log.error("tts.cache_not_forgotten", extra={"reason": error.strerror})

    def sweep(self) -> int:
        """Remove what is too old or beyond the limit and what killed processes left; returns how many."""
        if not self.root.is_dir():
            return 0
        removed = 0
        try:
            with self._turn("room", ROOM_WAIT_S) as mine:
                if mine:
                    self._part.unlink(missing_ok=True)
                    removed += self._make_room(0)
        except OSError as error:
            log.error("tts.cache_not_swept", extra={"reason": error.strerror})
        for path in list(self._locks.glob("*.lock")):
            with held_lock(path, 0) as was_abandoned:
                removed += was_abandoned
        return removed

    @property
    def _part(self) -> Path:
        """A sound on its way into the cache; whoever holds the lock ``room`` may write or remove it."""
        return self.root / "part"

    def _folder_of(self, scope: str) -> Path:
        return self._scopes / _sha256(scope)[:32]

    @contextmanager
    def _turn(self, name: str, wait_s: float) -> Iterator[bool]:
        with suppress(OSError):
            for folder in (self.root, self._scopes, self._locks):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with held_lock(self._locks / f"{name}.lock", wait_s) as mine:
            yield mine

    def _copy(self, entry: Path, folder: Path) -> Path | None:
        """A copy of a kept sound that is whole and not too old, or None."""
        target = None
        try:
            with entry.open("rb") as kept:
                state = os.fstat(kept.fileno())
                digest, _, suffix = kept.read(HEAD_BYTES).decode("ascii").rstrip("\n").partition(" ")
                if self._is_old(state.st_mtime):
                    return None
                if suffix not in SUFFIXES:
                    raise ValueError("a damaged head")
                target = folder / f"{uuid4().hex}{suffix}"
                with _created(target) as copy:
                    shutil.copyfileobj(kept, copy)
            with target.open("rb") as copy:
                if hashlib.file_digest(copy, "sha256").hexdigest() != digest:
                    raise ValueError("a damaged sound")
            with suppress(OSError):
                os.utime(entry, ns=(time.time_ns(), state.st_mtime_ns))
        except (OSError, ValueError) as error:
            if target is not None:
                target.unlink(missing_ok=True)
            if isinstance(error, ValueError):
                log.warning("tts.cache_damaged", extra={"reason": str(error)})
            return None
        return target

    def _keep(self, entry: Path, sound: Path) -> None:
        try:
            size = sound.stat().st_size + HEAD_BYTES
            if size > self._limit_bytes or sound.suffix not in SUFFIXES:
                return
            with self._turn("room", ROOM_WAIT_S) as mine:
                if mine:
                    self._make_room(size)
                    self._write(entry, sound)
        except OSError as error:
            log.warning("tts.not_kept", extra={"reason": error.strerror})

    def _write(self, entry: Path, sound: Path) -> None:
        try:
            with sound.open("rb") as source, _created(self._part) as part:
                digest = hashlib.file_digest(source, "sha256").hexdigest()
                part.write(f"{digest} {sound.suffix}\n".encode("ascii"))
                source.seek(0)
                shutil.copyfileobj(source, part)
            entry.parent.mkdir(mode=0o700, exist_ok=True)
            self._part.replace(entry)
        except OSError:
            self._part.unlink(missing_ok=True)
            raise

    def _make_room(self, size: int) -> int:
        """Remove what is too old, then what was not used for longest, until ``size`` bytes more will fit."""
        kept = sorted(self._all_kept(), key=lambda each: each.used_ns)
        total = sum(each.size for each in kept) + size
        removed = 0
        for each in sorted(kept, key=lambda each: not self._is_old(each.made_s)):
            if not self._is_old(each.made_s) and total <= self._limit_bytes:
                break
            each.path.unlink(missing_ok=True)
            total -= each.size
            removed += 1
            with suppress(OSError):  # it holds others
                each.path.parent.rmdir()
        return removed

    def _all_kept(self) -> Iterator[_Kept]:
        for path in self._scopes.glob("*/*"):
            with suppress(FileNotFoundError):
                state = path.stat()
                yield _Kept(path, state.st_size, state.st_mtime, state.st_atime_ns)

    def _is_old(self, made_s: float) -> bool:
        """A time to come counts as old: the clock was wrong then, and nobody knows how old the file is."""
        return not -1.0 <= time.time() - made_s <= self._kept_s


def _created(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
