"""A zip archive that is written while it is sent: never whole in memory, nor on a disk."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

LARGE_BYTES = 2**31 - 2**24
"""From here an entry is written in the format for large files, which some old programs do not know."""
CHUNK_BYTES = 256 * 1024
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


class ZipStream:
    """Each method gives the bytes that come next; ``close`` the last ones. Not thread-safe."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._zip = ZipFile(self._sink, "w")

    def add(self, name: str, made_at: datetime, chunks: Iterable[bytes], size: int = 0) -> Iterator[bytes]:
        """An entry; ``size`` is about how many bytes it has, where that may be gigabytes."""
        entry = ZipInfo(name, made_at.timetuple()[:6])
        entry.compress_type = ZIP_DEFLATED
        with self._zip.open(entry, "w", force_zip64=size >= LARGE_BYTES) as file:
            for chunk in chunks:
                file.write(chunk)
                yield self._sink.taken()
        yield self._sink.taken()

    def add_json(self, name: str, made_at: datetime, document: Any) -> Iterator[bytes]:
        text = json.dumps(document, ensure_ascii=False, indent=1)
        return self.add(name, made_at, (text.encode(),))

    def close(self) -> bytes:
        self._zip.close()
        return self._sink.taken()


class _Sink:
    """What was written and not yet taken; cannot be read or sought, and ``zipfile`` minds that."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """There is nothing behind it."""

    def close(self) -> None:
        """What was written can still be taken."""

    def taken(self) -> bytes:
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole


def safe_name(place: int, name: str) -> str:
    """A name for a folder on every system: its place makes it unique where capitals are not told apart."""
    return f"{place:06d}_{_UNSAFE.sub('_', name)}"


_STARTS = (
    (0, b"ID3", "mp3"), (0, b"\xff\xfb", "mp3"), (0, b"\xff\xf3", "mp3"), (0, b"\xff\xf2", "mp3"),
    (0, b"\xff\xfa", "mp3"), (0, b"\xff\xf1", "aac"), (0, b"\xff\xf9", "aac"),
    (0, b"OggS", "ogg"), (0, b"fLaC", "flac"), (0, b"#!AMR", "amr"), (0, b".snd", "au"),
    (0, b"\x1aE\xdf\xa3", "webm"), (0, b"0&\xb2u", "wma"), (4, b"ftyp", "m4a"), (8, b"WAVE", "wav"),
    (8, b"AIF", "aiff"),
)  # fmt: skip


def suffix_of(head: bytes) -> str:
    """What files that begin like this are usually called; ``bin`` where their first bytes do not tell."""
    return next((suffix for at, start, suffix in _STARTS if head[at : at + len(start)] == start), "bin")
