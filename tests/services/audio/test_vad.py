"""Speech is heard, also short, faint or beside a louder voice; silence, noise and tones are not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.exceptions import StageFailed
from app.schemas.audio import SAMPLE_RATE, Audio, Span
from app.services.audio import vad
from app.services.audio.vad import VoiceActivity
from app.services.audio.windows import WINDOW_S
from tests.services.audio.recordings import Recording, make_decoder, needs_recordings, real_recordings

Samples = np.ndarray[Any, Any]

STEP = 512
AUDIBLE_DB = 25.0
"""Labelled turns include pauses: what counts as speech is within this of the turn's loud frames."""
SILENT = ("silence_2s.wav", "noise_5s_16k.wav", "leopard_empty.wav")
LABELLED = ("callytics_Call01.wav", "ami_dev00.wav", "falcon_three_speakers.wav")


@pytest.fixture(scope="module")
def voice_activity() -> VoiceActivity:
    activity = VoiceActivity()
    activity.load()
    return activity


def store(samples: Samples, path: Path) -> Audio:
    """Samples in [-1, 1] as decoded audio."""
    np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2").tofile(path)
    return Audio(path, len(samples))


def db(factor_db: float) -> float:
    return float(10 ** (factor_db / 20))


def assert_sound(spans: tuple[Span, ...], audio: Audio) -> None:
    for span in spans:
        assert 0 <= span.start_s < span.end_s <= audio.duration_s
        assert span.length_s <= WINDOW_S
        for time in (span.start_s, span.end_s):
            assert time * SAMPLE_RATE == pytest.approx(round(time * SAMPLE_RATE), abs=1e-6)
    for before, after in pairwise(spans):
        gap = after.start_s - before.end_s
        assert gap == 0 or gap >= 0.2 - 1e-9


@needs_recordings
@pytest.mark.parametrize("recording", real_recordings(), ids=lambda recording: recording.file)
def test_real_recordings(
    recording: Recording, decoded: dict[str, Audio], voice_activity: VoiceActivity
) -> None:
    audio = decoded[recording.file]

    spans = voice_activity.detect(audio)

    assert_sound(spans, audio)
    assert bool(spans) == (recording.file not in SILENT)


@needs_recordings
@pytest.mark.parametrize("file", SILENT)
@pytest.mark.parametrize("level_db", [-40, -20, 10])
def test_noise_at_any_level(
    file: str, level_db: float, decoded: dict[str, Audio], voice_activity: VoiceActivity, tmp_path: Path
) -> None:
    samples = decoded[file].read() * db(level_db)

    assert voice_activity.detect(store(samples, tmp_path / "a")) == ()


def labels(recording: Recording, samples: Samples) -> tuple[Samples, Samples]:
    """For each step: who speaks by the label (0: nobody), and whether it is audible."""
    count = len(samples) // STEP
    power = np.mean(np.square(samples[: count * STEP].reshape(count, STEP)), axis=1)
    level = 10 * np.log10(power + 1e-12)
    speaker, audible = np.zeros(count, dtype=int), np.zeros(count, dtype=bool)
    names = sorted({name for _, _, name in recording.segments})
    for start_s, end_s, name in recording.segments:
        turn = slice(round(start_s * SAMPLE_RATE / STEP), round(end_s * SAMPLE_RATE / STEP))
        speaker[turn] = 1 + names.index(name)
        audible[turn] |= level[turn] > np.percentile(level[turn], 95) - AUDIBLE_DB
    return speaker, audible


def heard_steps(spans: tuple[Span, ...], count: int) -> Samples:
    heard = np.zeros(count, dtype=bool)
    for span in spans:
        heard[int(span.start_s * SAMPLE_RATE) // STEP : -(-int(span.end_s * SAMPLE_RATE) // STEP)] = True
    return heard


@needs_recordings
@pytest.mark.parametrize("level_db", [0, -10, -20])
def test_labelled_speech_is_heard_at_any_level(
    level_db: float, decoded: dict[str, Audio], voice_activity: VoiceActivity, tmp_path: Path
) -> None:
    speech = heard = 0
    for recording in real_recordings():
        if recording.file not in LABELLED:
            continue
        samples = decoded[recording.file].read()
        speaker, audible = labels(recording, samples)
        spans = voice_activity.detect(store(samples * db(level_db), tmp_path / recording.file))
        spoken = (speaker > 0) & audible
        speech += int(spoken.sum())
        heard += int((spoken & heard_steps(spans, len(spoken))).sum())

    assert heard / speech >= 0.98


@needs_recordings
def test_a_quiet_party_beside_a_loud_one(
    decoded: dict[str, Audio], voice_activity: VoiceActivity, tmp_path: Path
) -> None:
    speech = heard = 0
    for recording in real_recordings():
        if recording.file not in LABELLED:
            continue
        samples = decoded[recording.file].read()
        speaker, audible = labels(recording, samples)
        quiet = np.repeat(speaker == 1, STEP)
        samples[: len(quiet)][quiet] *= db(-20)
        spans = voice_activity.detect(store(samples, tmp_path / recording.file))
        spoken = (speaker == 1) & audible
        speech += int(spoken.sum())
        heard += int((spoken & heard_steps(spans, len(spoken))).sum())

    assert heard / speech >= 0.95


TIME = np.arange(15 * SAMPLE_RATE) / SAMPLE_RATE


def noise(seed: int, slope: float) -> Samples:
    white = np.fft.rfft(np.random.default_rng(seed).standard_normal(len(TIME)))
    made = np.fft.irfft(white / np.maximum(np.arange(len(white)), 1) ** slope, len(TIME))
    return np.asarray(made / np.abs(made).max())


def tone(*frequencies: float) -> Samples:
    return sum((np.sin(2 * np.pi * hertz * TIME) for hertz in frequencies), np.zeros_like(TIME)) / len(
        frequencies
    )


SOUNDS: dict[str, Callable[[], Samples]] = {
    "nothing": lambda: np.zeros_like(TIME),
    "last_bit": lambda: np.random.default_rng(3).choice((-1, 1), len(TIME)) / 32768 / db(-20),
    "white": lambda: noise(1, 0),
    "pink": lambda: noise(2, 0.5),
    "brown": lambda: noise(3, 1),
    "hum": lambda: sum((tone(50 * n) / n for n in range(1, 12)), np.zeros_like(TIME)) / 2,
    "dial_tone": lambda: tone(350, 440),
    "ringing": lambda: tone(440, 480) * (TIME % 6 < 2),
    "ringing_europe": lambda: tone(425) * (TIME % 5 < 1),
    "busy": lambda: tone(480, 620) * (TIME % 1 < 0.5),
    "keys_of_a_phone": lambda: tone(770, 1336) * (TIME % 0.4 < 0.2),
    "beeps": lambda: tone(1000) * (TIME % 5 < 0.3),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_sounds_that_are_no_speech(name: str, voice_activity: VoiceActivity, tmp_path: Path) -> None:
    for level_db in (-3, -20, -45, -65):
        audio = store(SOUNDS[name]() * db(level_db), tmp_path / f"{level_db}")
        assert voice_activity.detect(audio) == (), level_db


@needs_recordings
def test_one_word_in_a_minute_of_silence(
    decoded: dict[str, Audio], voice_activity: VoiceActivity, tmp_path: Path
) -> None:
    word = decoded["fsdd_7_jackson_0_8k.wav"].read()
    samples = np.zeros(60 * SAMPLE_RATE, dtype=np.float32)
    samples[30 * SAMPLE_RATE : 30 * SAMPLE_RATE + len(word)] = word * db(-20)

    (span,) = voice_activity.detect(store(samples, tmp_path / "a"))

    assert span.start_s == pytest.approx(29.9, abs=0.15)
    assert span.end_s == pytest.approx(30.5, abs=0.2)


@needs_recordings
def test_the_same_recording_gives_the_same_stretches(
    decoded: dict[str, Audio], voice_activity: VoiceActivity, tmp_path: Path
) -> None:
    wav = decoded["callytics_Call01.wav"]
    first = voice_activity.detect(wav)

    assert voice_activity.detect(wav) == first
    assert VoiceActivity(threads=3).detect(wav) == first


@needs_recordings
def test_a_voice_without_a_pause_is_cut_but_not_lost(
    decoded: dict[str, Audio], voice_activity: VoiceActivity, tmp_path: Path
) -> None:
    voice = decoded["librivox_austen_0870.wav"].read(Span(0.5, 6.5))
    audio = store(np.tile(voice, 15), tmp_path / "a")

    spans = voice_activity.detect(audio)

    assert_sound(spans, audio)
    touching = [before.end_s == after.start_s for before, after in pairwise(spans)]
    assert any(touching)
    assert sum(span.length_s for span in spans) > 0.97 * audio.duration_s


def test_nothing_and_next_to_nothing(voice_activity: VoiceActivity, tmp_path: Path) -> None:
    for count in (0, 1, 511, 512, 513):
        assert voice_activity.detect(store(np.zeros(count), tmp_path / f"{count}")) == ()


@needs_recordings
@pytest.mark.parametrize("later_s", [1.3, 4.7])
def test_where_blocks_begin_does_not_matter(
    later_s: float, decoded: dict[str, Audio], voice_activity: VoiceActivity, tmp_path: Path
) -> None:
    audio = decoded["callytics_Call01.wav"]
    shift = round(later_s * SAMPLE_RATE / STEP)
    late = store(np.concatenate((np.zeros(shift * STEP), audio.read())), tmp_path / "late")

    heard = heard_steps(voice_activity.detect(audio), audio.sample_count // STEP)
    heard_late = heard_steps(voice_activity.detect(late), late.sample_count // STEP)[shift:]

    assert np.mean(heard != heard_late) < 0.02


@needs_recordings
def test_channels_of_one_file_are_heard_as_files_of_their_own(
    decoded: dict[str, Audio], voice_activity: VoiceActivity, tmp_path: Path
) -> None:
    samples = [decoded[file].read() for file in ("jfk_16k.wav", "librivox_austen_0880.wav")]
    count = min(map(len, samples))
    both = np.stack([np.round(each[:count] * 32768).astype("<i2") for each in samples], axis=1)
    both.tofile(tmp_path / "both")
    audio = Audio(tmp_path / "both", count, channel_count=2)

    for channel in (0, 1):
        alone = store(both[:, channel] / 32768, tmp_path / f"{channel}")
        assert voice_activity.detect(audio.of_channel(channel)) == voice_activity.detect(alone)
    mean = store(both.astype(float).mean(axis=1) / 32768, tmp_path / "mean")
    assert len(voice_activity.detect(audio)) == len(voice_activity.detect(mean))


def test_a_wheel_without_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vad, "MODEL", Path("data", "missing.onnx"))

    with pytest.raises(StageFailed, match="silero-vad"):
        VoiceActivity().load()


def test_torch_is_not_brought_in() -> None:
    code = (
        "import sys; from app.services.audio.vad import VoiceActivity; VoiceActivity().load();"
        "sys.exit('torch' in sys.modules)"
    )

    assert (
        subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[3]).returncode
        == 0
    )


def test_nobody_is_told_of_the_model(tmp_path: Path) -> None:
    """ONNX Runtime keeps a file of its session with those whom it tells, from its import on."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")
    }
    opened = "from app.services.audio.vad import VoiceActivity; VoiceActivity().load()"
    subprocess.run([sys.executable, "-c", opened], env={**environment, "TMPDIR": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []


@needs_recordings
def test_formats_of_one_recording_agree(
    decoded: dict[str, Audio], voice_activity: VoiceActivity, tmp_path: Path
) -> None:
    again = make_decoder().decode(Path(__file__).parents[4] / "shared" / "audio" / "jfk_16k.wav", tmp_path)

    assert voice_activity.detect(again) == voice_activity.detect(decoded["jfk_16k.wav"])
