"""What the service says comes out as true MP3 and WAV."""

from __future__ import annotations

import errno
import wave
from pathlib import Path

import pytest

from app.core.exceptions import InsufficientStorage, StageFailed
from app.services.audio.disk import disk_full_translated
from app.services.audio.encoder import Encoder
from app.services.audio.ffmpeg import Ffmpeg
from tests.services.audio.recordings import convert, ffmpeg, make_limits, sweep, write_wav


def make_encoder(**limits: float) -> Encoder:
    return Encoder(ffmpeg(), make_limits(**limits))


def make_clip(folder: Path, name: str, seconds: float, rate: int = 22050) -> Path:
    return write_wav(folder / name, sweep(seconds, rate), rate)


def test_to_mp3(tmp_path: Path) -> None:
    source, target = make_clip(tmp_path, "a.wav", 2.0), tmp_path / "a.mp3"

    make_encoder().encode(source, target, "mp3")

    content = target.read_bytes()
    assert content[:3] == b"ID3" or content[:2] in (b"\xff\xf3", b"\xff\xfb")
    assert 14_000 < len(content) < 19_000
    assert make_encoder().duration_s(target) == pytest.approx(2.0, abs=0.06)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp3", "a.wav"]


def test_to_wav(tmp_path: Path) -> None:
    source = convert(make_clip(tmp_path, "a.wav", 1.5, 44100), tmp_path / "a.mp3")
    target = tmp_path / "out.wav"

    make_encoder().encode(source, target, "wav")

    with wave.open(str(target)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (24_000, 1, 2)
        assert sound.getnframes() / 24_000 == pytest.approx(1.5, abs=0.06)


def test_a_file_may_be_turned_into_itself(tmp_path: Path) -> None:
    clip = make_clip(tmp_path, "a", 1.0)

    make_encoder().encode(clip, clip, "mp3")

    assert make_encoder().duration_s(clip) == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("content", [b"", b"this is no sound", b"#EXTM3U\n#EXTINF:1,\na.wav\n"])
def test_what_is_no_sound(content: bytes, tmp_path: Path) -> None:
    make_clip(tmp_path, "a.wav", 1.0)
    source, target = tmp_path / "voice", tmp_path / "out.mp3"
    source.write_bytes(content)

    with pytest.raises(StageFailed):
        make_encoder().encode(source, target, "mp3")
    with pytest.raises(StageFailed):
        make_encoder().samples(source, tmp_path)
    with pytest.raises(StageFailed):
        make_encoder().duration_s(source)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "voice"]


def test_a_failure_keeps_the_earlier_target(tmp_path: Path) -> None:
    source, target = tmp_path / "voice", tmp_path / "out.mp3"
    source.write_bytes(b"this is no sound")
    target.write_bytes(b"earlier")

    with pytest.raises(StageFailed):
        make_encoder().encode(source, target, "mp3")

    assert target.read_bytes() == b"earlier"


def test_a_limit_is_named(tmp_path: Path) -> None:
    source = make_clip(tmp_path, "a.wav", 1.0)

    with pytest.raises(StageFailed, match="wall time"):
        make_encoder(wall_s=0.01).encode(source, tmp_path / "out.mp3", "mp3")


def test_a_full_disk(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho 'Error writing trailer: No space left on device' >&2\nexit 1\n")
    program.chmod(0o700)
    source = make_clip(tmp_path, "a.wav", 1.0)

    with pytest.raises(InsufficientStorage):
        Encoder(Ffmpeg(program), make_limits()).encode(source, tmp_path / "out.mp3", "mp3")


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, InsufficientStorage), (errno.EDQUOT, InsufficientStorage),
                          (errno.EACCES, PermissionError)]
)  # fmt: skip
def test_a_full_disk_that_python_meets(number: int, error: type[Exception]) -> None:
    with pytest.raises(error), disk_full_translated():
        raise OSError(number, "told by the system")
