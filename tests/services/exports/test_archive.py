"""An archive that is written while it is sent, and opens everywhere."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from app.services.exports.archive import LARGE_BYTES, ZipStream, safe_name, suffix_of

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def opened(archive: ZipStream, *parts: Iterable[bytes]) -> zipfile.ZipFile:
    whole = b"".join(chunk for part in parts for chunk in part) + archive.close()
    return zipfile.ZipFile(io.BytesIO(whole))


def test_what_goes_in_comes_out() -> None:
    archive, sound = ZipStream(), os.urandom(700_000)
    found = opened(
        archive,
        archive.add_json("a/call.json", NOON, {"text": "Größe 😀"}),
        archive.add("a/recording.wav", NOON, (sound[:300_000], sound[300_000:])),
        archive.add("empty", NOON, ()),
    )
    assert found.testzip() is None
    assert found.namelist() == ["a/call.json", "a/recording.wav", "empty"]
    assert "Größe 😀" in found.read("a/call.json").decode()
    assert found.read("a/recording.wav") == sound
    assert found.read("empty") == b""
    assert found.getinfo("a/call.json").date_time == (2026, 3, 1, 12, 0, 0)


def test_it_can_be_read_in_one_direction() -> None:
    """Every entry says by itself where it ends: readers of streams need no table at the end."""
    archive = ZipStream()
    whole = b"".join(archive.add("a", NOON, (b"x" * 1000,))) + archive.close()
    flags, method = struct.unpack("<HH", whole[6:10])
    assert (flags & 0x08, method) == (0x08, zipfile.ZIP_DEFLATED)


def test_what_was_given_out_is_not_kept() -> None:
    archive, chunk = ZipStream(), os.urandom(2**20)
    tracemalloc.start()
    try:
        total = sum(len(part) for part in archive.add("a", NOON, (chunk for _ in range(40))))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total > 40 * 2**20
    assert most < 8 * 2**20
    archive.close()


@pytest.mark.parametrize(("size", "version"), [(LARGE_BYTES - 1, 20), (LARGE_BYTES, 45)])
def test_only_what_may_be_large_is_written_in_the_format_for_large_files(size: int, version: int) -> None:
    archive = ZipStream()
    found = opened(archive, archive.add("a", NOON, (b"x",), size))
    assert found.read("a") == b"x"
    assert found.getinfo("a").extract_version == version


def test_trouble_in_the_middle_leaves_no_whole_archive() -> None:
    def breaking() -> Iterable[bytes]:
        yield b"x" * 100
        raise OSError("the disk is away")

    archive, sent = ZipStream(), []
    with pytest.raises(OSError, match="away"):
        sent.extend(archive.add("a", NOON, breaking()))
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(b"".join(sent)))
    archive.close()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("CALL-001", "000007_CALL-001"),
        ("..:..", "000007_____" + "_"),
        ("a/../../etc/passwd", "000007_a_______etc_passwd"),
        ("con.", "000007_con_"),
    ],
)
def test_names_are_harmless_on_every_system(name: str, safe: str) -> None:
    assert safe_name(7, name) == safe


@pytest.mark.parametrize(
    ("head", "suffix"),
    [
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "wav"),
        (b"ID3\x04", "mp3"),
        (b"\xff\xfb\x90", "mp3"),
        (b"OggS\x00", "ogg"),
        (b"fLaC\x00", "flac"),
        (b"\x00\x00\x00\x20ftypM4A ", "m4a"),
        (b"\x1aE\xdf\xa3", "webm"),
        (b"", "bin"),
        (b"RIFF", "bin"),
    ],
)
def test_the_first_bytes_tell_the_suffix(head: bytes, suffix: str) -> None:
    assert suffix_of(head) == suffix
