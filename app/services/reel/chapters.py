"""Chapters in an MP3: an ID3v2.3 tag with a CHAP frame for each moment, and the CTOC frame that lists them.

After the ID3v2 Chapter Frame Addendum 1.0. Version 3 of the tag, as more players read it than version 4.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Sequence
from pathlib import Path

from app.schemas.reel import Cue

UTF_16 = b"\x01"
UNUSED = 0xFFFF_FFFF
"""No place in bytes is told: the times hold."""
TOP_LEVEL, ORDERED = 0x02, 0x01
MOST_CHAPTERS = 255
"""The list's length is one byte."""


def write_with_chapters(source: Path, target: Path, title: str, cues: Sequence[Cue]) -> None:
    """Write the MP3 ``source``, which has no tag, to ``target`` with a title and a chapter for each cue.

    Chapters touch: each lasts until the next begins, the first from the start, the last to its own end.
    """
    if len(cues) > MOST_CHAPTERS:
        raise ValueError(f"there are more than {MOST_CHAPTERS} chapters")
    with source.open("rb") as sound, target.open("wb") as file:
        file.write(_tag(title, cues))
        shutil.copyfileobj(sound, file)


def _tag(title: str, cues: Sequence[Cue]) -> bytes:
    names = [f"chap{number}".encode() for number in range(len(cues))]
    starts_ms = [0, *(_ms(cue.start_s) for cue in cues[1:])]
    ends_ms = [*starts_ms[1:], *(_ms(cue.end_s) for cue in cues[-1:])]
    listed = b"".join(name + b"\x00" for name in names)
    contents = b"toc\x00" + bytes([TOP_LEVEL | ORDERED, len(cues)]) + listed
    frames = [_text("TIT2", title), _frame("CTOC", contents)]
    for name, cue, start_ms, end_ms in zip(names, cues, starts_ms, ends_ms, strict=True):
        times = struct.pack(">IIII", start_ms, end_ms, UNUSED, UNUSED)
        frames.append(_frame("CHAP", name + b"\x00" + times + _text("TIT2", cue.title)))
    body = b"".join(frames)
    return b"ID3\x03\x00\x00" + _synchsafe(len(body)) + body


def _text(name: str, text: str) -> bytes:
    return _frame(name, UTF_16 + text.encode("utf-16") + b"\x00\x00")


def _frame(name: str, content: bytes) -> bytes:
    return name.encode() + struct.pack(">IH", len(content), 0) + content


def _synchsafe(number: int) -> bytes:
    """28 bits in four bytes whose highest bit is 0, as sizes of tags are written."""
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
