"""Recognises uploads that are something else than audio by their first bytes; names never decide."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from app.core.exceptions import EmptyAudio, UnsupportedMedia

HEAD_BYTES = 4096
"""How much of the start of a file is enough."""

AUDIO_SHEBANGS = (b"#!amr", b"#!silk_v3", b"#!evs")

MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive"), (b"PK\x05\x06", "a zip archive"), (b"PK\x07\x08", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"), (b"BZh", "a bzip2 archive"), (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"), (b"Rar!\x1a\x07", "a rar archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"), (b"\x04\x22\x4d\x18", "an lz4 archive"),
    (b"%PDF-", "a PDF"), (b"%!PS", "a PostScript file"), (b"{\\rtf", "an RTF file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office file"), (b"SQLite format 3\x00", "a database"),
    (b"\x7fELF", "a program"), (b"MZ", "a program"), (b"\x00asm", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"), (b"\xfe\xed\xfa\xce", "a program"),
    (b"\xfe\xed\xfa\xcf", "a program"),
    (b"\xce\xfa\xed\xfe", "a program"), (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\x89PNG\r\n\x1a\n", "an image"), (b"\xff\xd8\xff", "an image"), (b"GIF87a", "an image"),
    (b"GIF89a", "an image"), (b"II*\x00", "an image"), (b"MM\x00*", "an image"), (b"II+\x00", "an image"),
    (b"MM\x00+", "an image"), (b"8BPS\x00", "an image"), (b"\xff\x0a", "an image"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "an image"), (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "an image"),
    (b"wOFF", "a font"), (b"wOF2", "a font"), (b"OTTO", "a font"),
)  # fmt: skip
"""Signatures at the very start. None is also the start of a container of sound."""

TEXTS: tuple[tuple[bytes, str], ...] = (
    (b"#extm3u", "a playlist"), (b"#ext-x-", "a playlist"), (b"#extinf", "a playlist"),
    (b"[playlist]", "a playlist"), (b"[reference]", "a playlist"), (b"[default]\nbaseurl", "a playlist"),
    (b"ffconcat", "a playlist"), (b"rtsptext", "a playlist"), (b"rtsp://", "a playlist"),
    (b"http://", "a playlist"), (b"https://", "a playlist"), (b"file://", "a playlist"),
    (b";ffmetadata", "a text file"), (b"webvtt", "subtitles"), (b"#!", "a script"),
    (b"@echo off", "a script"),
)  # fmt: skip
"""Openings of text in small letters, after a byte order mark and white space."""

MARKUP = re.compile(rb"<(?:[a-z!?%]|$)")
SESSION_DESCRIPTION = re.compile(rb"^c=in ip|\Av=0\r?$", re.MULTILINE)
"""What ffmpeg takes a session description for: such a line anywhere near the start."""
IMAGE_BRANDS = frozenset(
    (
        b"avif",
        b"avis",
        b"heic",
        b"heix",
        b"heim",
        b"heis",
        b"hevc",
        b"hevx",
        b"mif1",
        b"msf1",
        b"jxl ",
        b"crx ",
    )
)
BMP_HEADER_SIZES = frozenset((12, 16, 40, 52, 56, 64, 108, 124))


def check_media(head: bytes, size: int) -> None:
    """Refuse what is recognised as something else than audio; everything else passes.

    ``head`` holds the first ``HEAD_BYTES`` of the file, or all of it; ``size`` is that of the whole file.
    Raises EmptyAudio for no bytes at all, UnsupportedMedia for playlists, scripts, markup, archives,
    programs, documents and images, also behind an ID3 tag.
    """
    if size == 0 or not head:
        raise EmptyAudio("the file is empty")
    rest = head
    while rest:
        found = _recognise(rest)
        if found is not None:
            raise UnsupportedMedia(f"the file is {found}, not an audio recording")
        rest = _after_id3(rest)


def _recognise(head: bytes) -> str | None:
    for magic, kind in MAGIC:
        if head.startswith(magic):
            return kind
    for test, kind in STRUCTURES:
        if test(head):
            return kind
    return _recognise_text(_text(head))


def _recognise_text(text: bytes) -> str | None:
    if text.startswith(AUDIO_SHEBANGS):
        return None
    for opening, kind in TEXTS:
        if text.startswith(opening):
            return kind
    if MARKUP.match(text):
        return "a markup document"
    if b"\x00" not in text and SESSION_DESCRIPTION.search(text):
        return "a session description"
    return None


def _text(head: bytes) -> bytes:
    """The start in small letters, without byte order mark and white space; UTF-16 and UTF-32 as ASCII."""
    start = head[:HEAD_BYTES]
    if start.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")) or start[1:2] == b"\x00":
        start = start.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff").replace(b"\x00", b"")
    return start.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\v\f").lower()


def _after_id3(head: bytes) -> bytes:
    """What follows an ID3v2 tag: that is what ffmpeg goes by. Nothing when there is no tag."""
    if len(head) < 10 or not head.startswith(b"ID3") or max(head[6:10]) > 0x7F:
        return b""
    length = (head[6] << 21) | (head[7] << 14) | (head[8] << 7) | head[9]
    footer = 10 if head[5] & 0x10 else 0
    return head[10 + length + footer :].lstrip(b"\x00")


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] in (b"WEBP", b"ACON")


def _is_iff_image(head: bytes) -> bool:
    return head[:4] == b"FORM" and head[8:12] in (b"ILBM", b"PBM ", b"ACBM", b"RGB8")


def _is_heif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in IMAGE_BRANDS


def _is_bmp(head: bytes) -> bool:
    if head[:2] != b"BM" or len(head) < 18:
        return False
    return struct.unpack_from("<I", head, 14)[0] in BMP_HEADER_SIZES


def _is_icon(head: bytes) -> bool:
    if head[:4] not in (b"\x00\x00\x01\x00", b"\x00\x00\x02\x00") or len(head) < 22:
        return False
    (count,) = struct.unpack_from("<H", head, 4)
    (first,) = struct.unpack_from("<I", head, 18)
    return 0 < count <= 256 and bool(first == 6 + 16 * count)


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


STRUCTURES: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (_is_webp, "an image"),
    (_is_iff_image, "an image"),
    (_is_heif, "an image"),
    (_is_bmp, "an image"),
    (_is_icon, "an image"),
    (_is_tar, "a tar archive"),
)
"""Kinds that two or four bytes alone would not tell from sound."""
