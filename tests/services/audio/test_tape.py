"""A tape: sounds of any loudness one after the other, where it says they are, equally loud."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.schemas.audio import Span
from app.services.audio.encoder import RATE, Encoder
from app.services.audio.loudness import TARGET_LUFS
from app.services.audio.tape import Tape
from tests.services.audio.ebur128 import measured
from tests.services.audio.recordings import convert, ffmpeg, make_decoder, make_limits, sweep, write_wav
from tests.services.audio.test_loudness import speech_like


def make_tape(folder: Path) -> Tape:
    folder.mkdir(exist_ok=True)
    return Tape(Encoder(ffmpeg(), make_limits()), folder)


def test_parts_lie_where_it_says(tmp_path: Path) -> None:
    parts = [
        write_wav(tmp_path / "a.wav", sweep(1.0, 22050), 22050),
        convert(write_wav(tmp_path / "b.wav", sweep(0.5, 16000), 16000), tmp_path / "b.mp3"),
        write_wav(tmp_path / "c.wav", sweep(0.7, 48000), 48000),
    ]
    tape = make_tape(tmp_path / "tape")
    places = []
    for part in parts:
        places.append(tape.add(part))
        tape.pause(0.6)
    tape.write_mp3(tmp_path / "all.mp3")

    assert places[0] == Span(0.0, pytest.approx(1.0, abs=0.001))
    assert tape.length_s == pytest.approx(1.0 + 0.5 + 0.7 + 3 * 0.6, abs=0.1)
    assert (tmp_path / "all.mp3").read_bytes()[:3] != b"ID3"
    (tmp_path / "heard").mkdir()
    audio = make_decoder().decode(tmp_path / "all.mp3", tmp_path / "heard")
    assert audio.duration_s == pytest.approx(tape.length_s, abs=0.05)
    loud = np.abs(audio.read()) > 0.05
    level = loud[: len(loud) // 160 * 160].reshape(-1, 160).any(axis=1)
    changes = np.flatnonzero(np.diff(level.astype(int))) * 0.01
    edges = [edge for place in places for edge in (place.start_s, place.end_s)][1:]
    assert changes == pytest.approx(edges, abs=0.04)


def test_all_of_it_is_equally_loud(tmp_path: Path) -> None:
    tape = make_tape(tmp_path / "tape")
    places = []
    for number, level in enumerate((0.5, 0.05, 0.15)):
        sound = write_wav(tmp_path / f"{number}.wav", speech_like(6, level, number), RATE)
        places.append(tape.add(sound))
        tape.pause(0.7)
    tape.write_mp3(tmp_path / "all.mp3")

    lufs, peak = measured(tmp_path / "all.mp3")
    assert lufs == pytest.approx(TARGET_LUFS, abs=0.3)
    assert peak <= -1.0
    for place in places:
        part, _ = measured(tmp_path / "all.mp3", place.start_s, place.end_s)
        assert part == pytest.approx(TARGET_LUFS, abs=0.5)


def test_a_silent_tape_is_one_too(tmp_path: Path) -> None:
    tape = make_tape(tmp_path / "tape")
    tape.pause(1.0)
    tape.write_mp3(tmp_path / "all.mp3")
    assert measured(tmp_path / "all.mp3")[0] == -70.0
