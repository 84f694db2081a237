"""Ring tones, noise and hold music pass nobody's words; speech after them is found, in any language."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemas.audio import SAMPLE_RATE, Audio
from app.services.audio import vad
from app.services.audio.vad import VoiceActivity
from app.services.audio.windows import pack
from tests.services.audio.nonspeech import Sound, made, sounds
from tests.services.audio.recordings import needs_recordings
from tests.services.audio.test_vad import db, heard_steps, store

FOREIGN = (
    "leopard_test_de.wav",
    "leopard_test_es.wav",
    "leopard_test_fr.wav",
    "leopard_test_pt.wav",
    "coqui_ru.wav",
    "funasr_zh.wav",
)
BEFORE = 40 * SAMPLE_RATE
WORD_S = 1.0
"""What may pass of a minute of music: the time of one word."""


@pytest.fixture(scope="module")
def voice_activity() -> VoiceActivity:
    activity = VoiceActivity()
    activity.load()
    return activity


@pytest.mark.parametrize("sound", sounds(), ids=lambda sound: sound.name)
def test_a_minute_of_what_is_no_speech(sound: Sound, voice_activity: VoiceActivity, tmp_path: Path) -> None:
    for level_db, samples in sound.at_levels():
        spans = voice_activity.detect(store(samples, tmp_path / "a"))

        passed = sum(span.length_s for span in spans)
        assert passed <= (WORD_S if sound.kind == "music" else 0), (level_db, spans)


@needs_recordings
@pytest.mark.parametrize("file", FOREIGN)
@pytest.mark.parametrize("before", ["ring EU", "band, telephone"])
def test_the_first_window_begins_with_speech(
    before: str, file: str, decoded: dict[str, Audio], voice_activity: VoiceActivity, tmp_path: Path
) -> None:
    """The engine that tells the language from its first window must not hear the wait there."""
    speech = decoded[file].read()
    alone = voice_activity.detect(decoded[file])
    samples = np.concatenate((made(before)[:BEFORE] * db(-12), speech))

    window = pack(voice_activity.detect(store(samples, tmp_path / "a")))[0]

    heard = heard_steps(window.pieces, len(samples) // vad.FRAME)
    assert heard[BEFORE // vad.FRAME :].sum() >= 0.95 * heard.sum()
    spoken = heard_steps(alone, len(speech) // vad.FRAME)
    assert (heard[BEFORE // vad.FRAME :][: len(spoken)] & spoken).sum() >= 0.9 * spoken.sum()


@needs_recordings
@pytest.mark.parametrize("level_db", [0, -20])
def test_a_single_short_word_between_music_survives(
    level_db: float, decoded: dict[str, Audio], voice_activity: VoiceActivity, tmp_path: Path
) -> None:
    word = decoded["fsdd_3_nicolas_5_8k.wav"].read()
    pause = np.zeros(3 * SAMPLE_RATE)
    music = made("melody")[: 20 * SAMPLE_RATE]
    samples = np.concatenate((music, pause, word, pause, music)) * db(level_db)

    (span,) = voice_activity.detect(store(samples, tmp_path / "a"))

    assert span.start_s == pytest.approx(23.0, abs=0.25)
    assert span.length_s == pytest.approx(len(word) / SAMPLE_RATE, abs=0.4)


def test_a_short_sound_is_dropped_only_when_alone() -> None:
    blip, near = vad.SHORTEST_ALONE - 1, vad.LONELY - 1
    alone = [(0, blip), (10 * vad.LONELY, 10 * vad.LONELY + blip)]
    beside = [(0, blip), (blip + near, blip + near + blip)]

    assert vad._without_lone([]) == []
    assert vad._without_lone(alone) == []
    assert vad._without_lone([(0, vad.SHORTEST_ALONE)]) == [(0, vad.SHORTEST_ALONE)]
    assert vad._without_lone(beside) == beside


def one_by_one(probabilities: list[float], sample_count: int) -> list[tuple[int, int]]:
    """What a stretch is, told frame by frame."""
    found: list[tuple[int, int]] = []
    start = quiet = None
    for here, probability in zip(range(0, sample_count, vad.FRAME), probabilities, strict=True):
        if probability >= vad.STARTS_AT:
            start, quiet = here if start is None else start, None
        elif start is not None and probability < vad.ENDS_BELOW:
            quiet = here if quiet is None else quiet
            if here - quiet >= vad.LEAST_SILENCE:
                found.append((start, quiet))
                start = quiet = None
    if start is not None:
        found.append((start, sample_count))
    return [(first, end) for first, end in found if end - first >= vad.LEAST_SPEECH]


@given(st.lists(st.sampled_from((0.0, 0.1, 0.24, 0.25, 0.3, 0.39, 0.4, 0.9)), min_size=1, max_size=60))
def test_stretches_are_those_told_frame_by_frame(probabilities: list[float]) -> None:
    sample_count = len(probabilities) * vad.FRAME - 100

    found = vad._stretches(np.array(probabilities), sample_count)

    assert found == one_by_one(probabilities, sample_count)


@given(
    st.lists(st.floats(0.0625, 64.0, width=32), min_size=1, max_size=6),
    st.integers(0, 30),
    st.integers(1, 20),
)
def test_gain_of_each_sample_is_on_the_line_between_known_gains(
    gains: list[float], first: int, count: int
) -> None:
    known = np.array(gains, dtype=np.float32)
    times = first + np.arange(count * vad.FRAME) / vad.FRAME

    made = vad._gain_of_samples(known, first, count)

    line = np.interp(times, np.arange(len(known)) * vad.LEVEL_STEP + 0.5, known)
    np.testing.assert_allclose(made.reshape(-1), line, rtol=1e-4)
