"""A converted model on disk: it appears whole or not at all, is made once, and is used only unharmed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from app.services.stt.whisper_checkpoint import locked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MANIFEST = "conversion.json"
"""Written last: the size and SHA-256 of every other file."""
FORMAT = 1
"""Counts the changes of what is written; folders of another format are made anew."""


def make_once(folder: Path, write: Callable[[Path], None]) -> None:
    """Have ``write`` fill a folder that then takes the place of ``folder``, unless that is intact.

    Processes that do so at the same time wait for the first. Raises OSError and whatever ``write`` raises;
    nothing is left behind then.
    """
    if is_intact(folder):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.parent / f".{folder.name}.lock"):
        if is_intact(folder):
            return
        scratch = folder.parent / f".{folder.name}.part"
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            scratch.mkdir()
            write(scratch)
            _seal(scratch)
            shutil.rmtree(folder, ignore_errors=True)
            scratch.replace(folder)
            _sync(folder.parent)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def is_whole(folder: Path) -> bool:
    """Whether every file is there in its full size; costs next to nothing."""
    files = _manifest(folder)
    return bool(files) and all(_size(folder / name) == seen["size"] for name, seen in files.items())


def is_intact(folder: Path) -> bool:
    """Whether every file is there as it was written; reads all of it."""
    files = _manifest(folder)
    return is_whole(folder) and all(_digest(folder / name) == seen["sha256"] for name, seen in files.items())


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return {}
    return dict(content["files"]) if content.get("format") == FORMAT else {}


def _seal(folder: Path) -> None:
    files = {}
    for path in sorted(folder.iterdir()):
        files[path.name] = {"size": _size(path), "sha256": _digest(path)}
        _sync(path)
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps({"format": FORMAT, "files": files}, indent=2))
    _sync(manifest)
    _sync(folder)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
