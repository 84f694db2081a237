"""The embedded engine: what it hears, and that it hears the same whatever came before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import jiwer
import numpy as np
import pytest

from app.schemas.transcript import Transcript
from app.services.stt.pocketsphinx import PocketsphinxEngine
from tests.services.stt.makers import Samples, recording, request_for, silence, spoken
from tests.settings import make_settings

JFK = (
    "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
)
JFK_PIECES_S = ((0.202, 2.422), (3.146, 4.566), (5.258, 7.798), (8.042, 10.742))
"""Where voice activity finds speech in it."""


def make_engine() -> PocketsphinxEngine:
    engine = PocketsphinxEngine(make_settings(Path("unused")))
    engine.load()
    return engine


@pytest.fixture(scope="module")
def engine() -> PocketsphinxEngine:
    return make_engine()


def text_of(engine: PocketsphinxEngine, *pieces: Samples) -> str:
    return " ".join(word.text for word in engine.transcribe(request_for(*pieces)).words)


def brief(name: str) -> Samples:
    """The first words of a sentence: enough where it does not matter what is heard."""
    return spoken(name).samples[:14_000]


def pieces_of(samples: Samples, spans: Sequence[tuple[float, float]]) -> list[Samples]:
    return [samples[round(start * 16_000) : round(end * 16_000)] for start, end in spans]


@pytest.fixture(scope="module")
def jfk(engine: PocketsphinxEngine) -> Transcript:
    return engine.transcribe(request_for(*pieces_of(recording("jfk_16k.wav"), JFK_PIECES_S)))


def test_jfk_is_understood_well_enough(jfk: Transcript) -> None:
    assert jiwer.wer(JFK, " ".join(word.text for word in jfk.words)) <= 0.35


def test_words_are_bare_words_with_probabilities(jfk: Transcript) -> None:
    assert all(re.fullmatch(r"[a-z'.\-]+", word.text) for word in jfk.words)
    assert all(word.confidence is not None and 0 <= word.confidence <= 1 for word in jfk.words)
    assert len({word.confidence for word in jfk.words}) > 5
    assert (jfk.language, jfk.language_confidence) == ("en", None)


def test_words_are_where_they_are_spoken(engine: PocketsphinxEngine) -> None:
    """Two sentences with two seconds of next to nothing before each."""
    one, two = (spoken(name).samples for name in ("question", "promise"))
    quiet = np.random.default_rng(0).normal(0, 2e-4, 32_000).astype(np.float32)
    heard = engine.transcribe(request_for(np.concatenate([quiet, one, quiet, two])))
    assert heard.words[0].start_s == pytest.approx(2.0, abs=0.2)
    assert heard.words[-1].end_s == pytest.approx((2 * len(quiet) + len(one) + len(two)) / 16_000, abs=0.2)
    pause = (2 + len(one) / 16_000 + 0.2, 4 + len(one) / 16_000 - 0.2)
    assert not any(pause[0] < word.start_s and word.end_s < pause[1] for word in heard.words)


def test_each_piece_of_the_window_is_heard_on_its_own(engine: PocketsphinxEngine) -> None:
    first, second = brief("greeting"), brief("objection")
    together = engine.transcribe(request_for(first, second)).words
    alone = [engine.transcribe(request_for(samples)).words for samples in (first, second)]
    assert [word.text for word in together] == [word.text for words in alone for word in words]
    assert [word.start_s for word in together[len(alone[0]) :]] == pytest.approx(
        [word.start_s + len(first) / 16_000 for word in alone[1]]
    )
    ends = [index for index, word in enumerate(together) if word.ends_segment]
    assert ends == [len(alone[0]) - 1, len(together) - 1]


def test_what_came_before_does_not_matter(engine: PocketsphinxEngine) -> None:
    one, other = request_for(brief("promise")), request_for(brief("question") * 0.2)
    fresh = make_engine()
    first = fresh.transcribe(one)
    for _ in range(2):
        fresh.transcribe(other)
        assert fresh.transcribe(one) == first
    assert engine.transcribe(one) == first


def test_silence_and_next_to_nothing_are_no_words(engine: PocketsphinxEngine) -> None:
    for samples in (silence(0), silence(0.01), silence(3), spoken("greeting").samples[:1000]):
        assert engine.transcribe(request_for(samples)).words == ()
    faint = np.random.default_rng(0).normal(0, 1e-5, 32_000).astype(np.float32)
    assert engine.transcribe(request_for(faint)).words == ()


def test_a_short_piece_between_others_does_no_harm(engine: PocketsphinxEngine) -> None:
    samples = brief("greeting")
    assert text_of(engine, samples, silence(0.02), samples) == " ".join([text_of(engine, samples)] * 2)


def test_samples_beyond_full_scale_do_not_wrap_round(engine: PocketsphinxEngine) -> None:
    samples = brief("greeting")
    loud = samples / np.abs(samples).max()
    assert text_of(engine, loud * 1.05) == text_of(engine, np.clip(loud * 1.05, -1, 1))


def test_nothing_is_printed(engine: PocketsphinxEngine, capfd: pytest.CaptureFixture[str]) -> None:
    fresh = make_engine()
    fresh.transcribe(request_for(brief("greeting"), silence(1)))
    assert capfd.readouterr() == ("", "")
