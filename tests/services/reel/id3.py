"""Reads the chapters of an MP3 back, by the book and by nothing of ours."""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Chapter:
    name: str
    start_ms: int
    end_ms: int
    title: str


@dataclass(frozen=True)
class Tag:
    title: str
    listed: tuple[str, ...]
    flags: int
    chapters: tuple[Chapter, ...]
    size: int


def read_tag(content: bytes) -> Tag:
    assert content[:5] == b"ID3\x03\x00"
    size = sum(byte << shift for byte, shift in zip(content[6:10], (21, 14, 7, 0), strict=True))
    frames = list(_frames(content[10 : 10 + size]))
    (title,) = (_text(body) for name, body in frames if name == b"TIT2")
    (toc,) = (body for name, body in frames if name == b"CTOC")
    name, _, rest = toc.partition(b"\x00")
    flags, count, entries = rest[0], rest[1], rest[2:].split(b"\x00")
    assert name == b"toc"
    assert entries.pop() == b""
    assert count == len(entries)
    chapters = tuple(_chapter(body) for kind, body in frames if kind == b"CHAP")
    return Tag(title, tuple(entry.decode() for entry in entries), flags, chapters, 10 + size)


def _chapter(body: bytes) -> Chapter:
    name, _, rest = body.partition(b"\x00")
    start_ms, end_ms, first, last = struct.unpack(">IIII", rest[:16])
    assert first == last == 0xFFFFFFFF
    ((kind, text),) = _frames(rest[16:])
    assert kind == b"TIT2"
    return Chapter(name.decode(), start_ms, end_ms, _text(text))


def _frames(body: bytes) -> list[tuple[bytes, bytes]]:
    found = []
    while body:
        name, size, flags = body[:4], *struct.unpack(">IH", body[4:10])
        assert flags == 0
        found.append((name, body[10 : 10 + size]))
        body = body[10 + size :]
    return found


def _text(body: bytes) -> str:
    assert body[0] == 1
    assert body.endswith(b"\x00\x00")
    return body[1:-2].decode("utf-16")
