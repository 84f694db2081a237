"""The length of an MP3 by its frames is the length that the decoder hears."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.audio.mp3_frames import walk_mp3
from tests.services.audio.recordings import convert, make_decoder, sweep, write_wav

VBR, CBR = ("-q:a", "9"), ("-b:a", "32k")


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize(
    ("options", "said", "one_size"),
    [(VBR, False, False), (CBR, True, True), ((*CBR, "-write_xing", "0"), False, False)],
)
def test_lengths(rate: int, options: tuple[str, ...], said: bool, one_size: bool, tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", sweep(7.3, rate), rate)
    mp3 = convert(wav, tmp_path / "a.mp3", "-c:a", "libmp3lame", *options)

    frames = walk_mp3(mp3, 60)

    assert frames is not None
    assert frames.length_s == pytest.approx(make_decoder().decode(mp3, tmp_path).duration_s, abs=0.001)
    assert (frames.is_said_to_have_one_size, frames.has_one_size) == (said, one_size)


def test_no_further_than_told(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", sweep(7.3, 16_000), 16_000)
    mp3 = convert(wav, tmp_path / "a.mp3", "-c:a", "libmp3lame", "-write_xing", "0")

    assert (frames := walk_mp3(mp3, 5)) is not None
    assert 5 <= frames.length_s < 5.1


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"RIFF" + bytes(40), b"ID3" + bytes(3) + b"\x7f" * 4, b"\xff\xf3\x00\x00" * 5]
)
def test_what_is_no_mp3(content: bytes, tmp_path: Path) -> None:
    (path := tmp_path / "recording").write_bytes(content)

    assert walk_mp3(path, 60) is None


PARTS = st.sampled_from(
    [b"\xff", b"\xfb\x90\x00", b"\xf3\x18\xc4", b"ID3", b"Info", b"Xing", b"VBRI", bytes(30)]
)


@given(st.lists(PARTS | st.binary(max_size=300), max_size=20))
def test_anything_is_read_to_an_end(parts: list[bytes]) -> None:
    with TemporaryDirectory() as folder:
        (path := Path(folder) / "recording").write_bytes(b"".join(parts))
        frames = walk_mp3(path, 60)

    assert frames is None or frames.length_s <= 60.1
