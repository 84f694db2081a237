"""The audio service as the pipeline sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.exceptions import (
    AudioTooLong,
    ConfigurationError,
    EmptyAudio,
    UndecodableAudio,
    UnsupportedMedia,
)
from app.schemas.audio import Span
from app.services.audio_service import AudioService
from tests.services.audio.recordings import sweep, write_wav
from tests.settings import make_settings


def make_service(tmp_path: Path, **settings: object) -> AudioService:
    return AudioService(make_settings(tmp_path, **settings))


def test_check(tmp_path: Path) -> None:
    service = make_service(tmp_path)

    service.check(b"RIFF\x00\x00\x00\x00WAVE", 44)
    with pytest.raises(UnsupportedMedia):
        service.check(b"#EXTM3U\n", 100)
    with pytest.raises(EmptyAudio):
        service.check(b"", 0)


def test_decode_with_the_limits_of_the_settings(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", sweep(7, 8000), 8000)
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    assert make_service(tmp_path).decode(source, scratch).duration_s == 7
    with pytest.raises(AudioTooLong):
        make_service(tmp_path, max_audio_minutes=0.1).decode(source, scratch)
    with pytest.raises(UndecodableAudio, match="wall time"):
        make_service(tmp_path, decode_timeout_s=0.01).decode(source, scratch)

    assert list(scratch.iterdir()) == []


def test_encode_cut_join_and_measure(tmp_path: Path) -> None:
    service = make_service(tmp_path)
    clip = write_wav(tmp_path / "a.wav", sweep(1, 22050), 22050)

    service.encode(clip, tmp_path / "a.mp3", "mp3")
    (cut,) = service.cut(tmp_path / "a.mp3", [Span(0.25, 0.75)], tmp_path, None)
    tape = service.tape(tmp_path)
    for part in (clip, cut):
        tape.add(part)
        tape.pause(0.5)
    tape.write_mp3(tmp_path / "both.mp3")

    assert service.duration_s(tmp_path / "a.mp3") == pytest.approx(1.0, abs=0.06)
    assert service.duration_s(cut) == pytest.approx(0.5, abs=0.001)
    assert service.duration_s(tmp_path / "both.mp3") == pytest.approx(2.5, abs=0.1)


def test_the_version_is_told(tmp_path: Path) -> None:
    assert make_service(tmp_path).ffmpeg_version()


def test_an_ffmpeg_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="FFMPEG_PATH"):
        make_service(tmp_path, ffmpeg_path=tmp_path / "missing")
