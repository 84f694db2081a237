"""The facade: what it makes of any engine's words, and of whatever an engine raises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.exceptions import StageFailed, UnsupportedLanguage
from app.schemas.audio import SAMPLE_RATE, Span
from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Transcript, Word
from app.services.audio.windows import SpeechWindow
from app.services.stt.base import SttRequest
from app.services.stt.loops import SOME
from app.services.stt_service import SttService, merge
from tests.services.stt.makers import Samples, sidecar
from tests.settings import make_settings


class FakeEngine:
    """Answers with what it was given."""

    name = "fake"
    label = "fake:one"
    capabilities = Capabilities()

    def __init__(self, answer: Transcript | Exception | object) -> None:
        self._answer = answer
        self.loads = 0

    def availability(self) -> Availability:
        return Availability.ready()

    def fetch(self) -> None:
        pass

    def load(self) -> None:
        self.loads += 1
        if isinstance(self._answer, Exception):
            raise self._answer

    def transcribe(self, request: SttRequest) -> Transcript:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer  # type: ignore[return-value]


def make_service(answer: Transcript | Exception | object) -> SttService:
    return SttService(make_settings(Path("unused")), {"fake": FakeEngine(answer)})


def ask(service: SttService, samples: Samples, window: SpeechWindow, name: str = "fake") -> Transcript:
    (heard,) = service.transcribe(name, [SttRequest(samples, None, window)])
    return heard


def make_window(*spans: tuple[float, float]) -> SpeechWindow:
    return SpeechWindow(tuple(Span(*span) for span in spans))


def heard(window: SpeechWindow, *words: Word, language: str | None = "en") -> Transcript:
    return ask(make_service(Transcript(words, language, 0.8)), sound(window), window)


def sound(window: SpeechWindow) -> Samples:
    """Something to be heard all through the window."""
    return np.full(round(window.length_s * SAMPLE_RATE), 0.1, dtype=np.float32)


TIMES = st.one_of(
    st.floats(-5, 40),
    st.sampled_from([0.0, 1.0, 2.0, 28.0, math.nan, math.inf, -math.inf]),
)
WORDS = st.lists(
    st.builds(
        Word,
        st.one_of(st.text(max_size=6), st.sampled_from(["", " ", "\n", " two words "])),
        TIMES,
        TIMES,
        st.one_of(st.none(), st.floats()),
        st.booleans(),
        st.booleans(),
    ),
    max_size=12,
)


@st.composite
def windows(draw: st.DrawFn) -> SpeechWindow:
    """Pieces in order, as voice activity gives them: whole samples, apart or touching."""
    at = draw(st.integers(0, 60 * SAMPLE_RATE))
    pieces = []
    for length in draw(st.lists(st.integers(1, 9 * SAMPLE_RATE), min_size=1, max_size=4)):
        pieces.append(Span(at / SAMPLE_RATE, (at + length) / SAMPLE_RATE))
        at += length + draw(st.integers(0, 20 * SAMPLE_RATE))
    return SpeechWindow(tuple(pieces))


@settings(deadline=None)
@given(windows(), WORDS)
def test_whatever_the_engine_says_the_words_are_sound(window: SpeechWindow, words: list[Word]) -> None:
    out = heard(window, *words).words
    named = [" ".join(word.text.split()) for word in words if word.text.strip()]
    assert len(out) <= len(named)
    if len(named) <= SOME:
        assert sorted(word.text for word in out) == sorted(named)
    for word in out:
        assert word.text == word.text.strip() != ""
        assert math.isfinite(word.start_s) and math.isfinite(word.end_s)
        assert word.start_s <= word.end_s
        assert word.confidence is None or 0 <= word.confidence <= 1
        assert any(p.start_s <= word.start_s and word.end_s <= p.end_s for p in window.pieces)
    for before, after in pairwise(out):
        assert before.start_s <= after.start_s
        assert before.end_s <= after.start_s


@settings(deadline=None)
@given(windows(), st.lists(st.floats(0.01, 1), min_size=2, max_size=20))
def test_sound_words_come_through_as_they_are(window: SpeechWindow, shares: list[float]) -> None:
    """Words in order inside one piece keep text, order and length."""
    piece = window.pieces[-1]
    begins_s = window.length_s - piece.length_s
    edges = sorted(begins_s + share * piece.length_s for share in shares)
    words = [Word(f"w{i}", start, end, 0.5) for i, (start, end) in enumerate(pairwise(edges))]
    out = heard(window, *words).words
    assert [word.text for word in out] == [word.text for word in words]
    for before, after in zip(words, out, strict=True):
        assert after.start_s - piece.start_s == pytest.approx(before.start_s - begins_s, abs=1e-4)
        assert after.end_s - after.start_s == pytest.approx(before.end_s - before.start_s, abs=1e-4)


def test_times_are_those_of_the_recording() -> None:
    window = make_window((10, 12), (20, 23))
    out = heard(window, Word("a", 0.5, 1.0), Word("b", 1.5, 2.0), Word("c", 2.0, 2.5), Word("d", 4.0, 5.0))
    assert [(word.start_s, word.end_s) for word in out.words] == [
        (10.5, 11),
        (11.5, 12),
        (20, 20.5),
        (22, 23),
    ]
    assert (out.language, out.language_confidence) == ("en", 0.8)


@pytest.mark.parametrize(
    ("start_s", "end_s", "wanted"),
    [(1.9, 2.6, (20.0, 20.6)), (1.2, 2.1, (11.2, 12.0)), (2.0, 2.0, (20.0, 20.0))],
)
def test_no_word_spans_a_pause_that_was_cut_out(
    start_s: float, end_s: float, wanted: tuple[float, float]
) -> None:
    (word,) = heard(make_window((10, 12), (20, 23)), Word("over", start_s, end_s)).words
    assert (word.start_s, word.end_s) == pytest.approx(wanted)


def test_words_are_sorted_and_their_overlaps_cut() -> None:
    out = heard(make_window((0, 10)), Word("b", 2.0, 2.5), Word("a", 1.0, 2.2), Word("c", 2.4, 2.3))
    assert [(word.text, word.start_s, word.end_s) for word in out.words] == [
        ("a", 1.0, 2.0),
        ("b", 2.0, 2.4),
        ("c", 2.4, 2.4),
    ]


def test_a_word_whose_times_are_no_numbers_is_put_between_its_neighbours_and_marked() -> None:
    out = heard(
        make_window((5, 9)), Word("a", 1, 2), Word("b", math.nan, math.nan, math.nan), Word("c", 3, 4)
    )
    assert [(word.text, word.start_s, word.end_s, word.estimated) for word in out.words] == [
        ("a", 6.0, 7.0, False),
        ("b", 7.0, 8.0, True),
        ("c", 8.0, 9.0, False),
    ]
    assert out.words[1].confidence is None


def test_words_beyond_the_window_are_marked_where_they_are_put() -> None:
    out = heard(make_window((5, 9)), Word("early", -2, -1), Word("a", -0.1, 2), Word("late", 5, 6))
    assert [(word.text, word.start_s, word.end_s, word.estimated) for word in out.words] == [
        ("early", 5.0, 5.0, True),
        ("a", 5.0, 7.0, False),
        ("late", 9.0, 9.0, True),
    ]


def test_loops_and_words_without_sound_are_cut_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    window = make_window((10, 16), (30, 40))
    samples = np.concatenate([sound(make_window((0, 6))), np.zeros(10 * SAMPLE_RATE, np.float32)])
    loop = [Word(text, at * 0.5, at * 0.5 + 0.5) for at, text in enumerate(["Thank", "you."] * 6)]
    nothing = [Word("Please", 9.0, 9.5), Word("subscribe.", 9.5, 10.0)]
    with caplog.at_level("INFO"):
        out = ask(make_service(Transcript((*loop, *nothing), "en")), samples, window)
    assert [(word.text, word.start_s) for word in out.words] == [("Thank", 10.0), ("you.", 10.5)]
    record = next(record for record in caplog.records if record.message == "stt.words_cut")
    assert (record.__dict__["words_in_silence"], record.__dict__["words_in_loops"]) == (2, 10)
    assert "Thank" not in str(record.__dict__)


def test_a_loop_in_silence_leaves_no_language() -> None:
    window = make_window((0, 5))
    service = make_service(Transcript((Word("Bye.", 1, 2),), "en"))
    assert ask(service, np.zeros(80_000, np.float32), window) == Transcript((), None)


def test_without_words_there_is_no_language() -> None:
    assert heard(make_window((0, 5)), Word("  ", 0, 1)) == Transcript((), None)


@pytest.mark.parametrize("answer", [RuntimeError("secret /path"), MemoryError(), KeyError("x"), None, 7])
def test_whatever_an_engine_does_wrong_is_a_failed_stage(answer: object) -> None:
    with pytest.raises(StageFailed) as caught:
        ask(make_service(answer), np.zeros(16000, np.float32), make_window((0, 1)))
    assert caught.value.code == "stt_failed"
    assert "fake:one" in caught.value.detail
    assert "secret" not in caught.value.detail
    assert caught.value.__cause__ is not None


def test_our_own_errors_pass() -> None:
    with pytest.raises(UnsupportedLanguage):
        ask(make_service(UnsupportedLanguage("no")), np.zeros(16000, np.float32), make_window((0, 1)))


def test_loading_translates_too() -> None:
    with pytest.raises(StageFailed, match="could not be loaded"):
        make_service(OSError("disk")).load("fake")
    service = make_service(Transcript((), None))
    service.load("fake")
    engine = service.engines["fake"]
    assert isinstance(engine, FakeEngine)
    assert engine.loads == 1


def test_engines_come_from_the_setting(tmp_path: Path) -> None:
    path = sidecar(tmp_path, text="good day")
    service = SttService(
        make_settings(tmp_path, stt_provider=("pocketsphinx", "scripted"), scripted_transcript=path)
    )
    assert list(service.engines) == ["pocketsphinx", "scripted"]
    service.load("scripted")
    out = ask(service, np.zeros(16000, np.float32), make_window((3, 4)), name="scripted")
    assert [(word.text, word.start_s, word.end_s) for word in out.words] == [
        ("good", 3, 3.5),
        ("day", 3.5, 4),
    ]


def test_windows_are_merged_in_order() -> None:
    silent = Transcript((), "fr", 0.1)
    one = Transcript((Word("one", 0, 1),), "de", 0.7)
    two = Transcript((Word("two", 30, 31), Word("three", 31, 32)), "en", 0.9)
    assert merge([silent, one, silent, two]) == Transcript((*one.words, *two.words), "de", 0.7)
    assert merge([silent]) == merge([]) == Transcript((), None)


class Batching(FakeEngine):
    """Answers each request with its number; ``asked`` tells how many came at once."""

    capabilities = Capabilities(batch=4)

    def __init__(self) -> None:
        super().__init__(Transcript((), None))
        self.asked: list[int] = []

    def transcribe_many(self, requests: Sequence[SttRequest]) -> tuple[Transcript, ...]:
        self.asked.append(len(requests))
        return tuple(
            Transcript((Word(f"w{number}", 0.1, 0.2, 0.9),), "en") for number in range(len(requests))
        )


def test_an_engine_that_takes_several_windows_is_given_them_at_once() -> None:
    engine = Batching()
    service = SttService(make_settings(Path("unused")), {"fake": engine})
    windows = [make_window((10.0 * at, 10.0 * at + 1)) for at in range(3)]
    answers = service.transcribe("fake", [SttRequest(sound(window), "en", window) for window in windows])
    assert engine.asked == [3]
    assert [(part.words[0].text, round(part.words[0].start_s, 3)) for part in answers] == [
        ("w0", 0.1),
        ("w1", 10.1),
        ("w2", 20.1),
    ]
