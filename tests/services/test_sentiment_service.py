"""The sentiment facade: one batch a call, long texts judged in pieces, threads, and failing engines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.exceptions import ConfigurationError, EngineUnavailable, StageFailed
from app.schemas.engine import Availability, Capabilities
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.utterance import Utterance
from app.services.sentiment.base import SentimentScores
from app.services.sentiment_service import NOTHING_SAID, SentimentService
from tests.services.sentiment.factories import NEGATIVE, NEUTRAL, POSITIVE, make_settings, said

GOOD = SentimentScores(positive=0.8, neutral=0.15, negative=0.05)
BAD = SentimentScores(positive=0.1, neutral=0.2, negative=0.7)


class WordEngine:
    """Cuts at "|"; a piece with "bad" in it is BAD. Remembers its batches."""

    name = label = "words"
    capabilities = Capabilities()

    def __init__(self, error: Exception | None = None, answers: list[SentimentScores] | None = None) -> None:
        self.batches: list[list[str]] = []
        self._error = error
        self._answers = answers

    def availability(self) -> Availability:
        return Availability.ready()

    def fetch(self) -> None:
        """Nothing to fetch."""

    def load(self) -> None:
        if self._error:
            raise self._error

    def window(self, text: str) -> list[str]:
        return text.split("|")

    def score(self, utterances: Sequence[Utterance]) -> list[SentimentScores]:
        if self._error:
            raise self._error
        texts = [utterance.text for utterance in utterances]
        self.batches.append(texts)
        return self._answers or [BAD if "bad" in text else GOOD for text in texts]


def make_service(engine: WordEngine) -> SentimentService:
    return SentimentService(make_settings(), {"words": engine})


@pytest.fixture(scope="module")
def real() -> SentimentService:
    service = SentimentService(make_settings())
    service.load("transformer")
    return service


def test_label_and_score_are_those_of_the_likeliest() -> None:
    found = make_service(WordEngine()).analyse("words", said("fine", "bad"))
    assert found == [
        Sentiment(SentimentLabel.POSITIVE, 0.8, 0.8, 0.15, 0.05),
        Sentiment(SentimentLabel.NEGATIVE, 0.7, 0.1, 0.2, 0.7),
    ]


def test_a_long_text_is_the_mean_of_its_pieces_by_length() -> None:
    [found] = make_service(WordEngine()).analyse("words", said("fine fine|bad"))
    assert found.positive == pytest.approx((9 * 0.8 + 3 * 0.1) / 12)
    assert found.negative == pytest.approx((9 * 0.05 + 3 * 0.7) / 12)
    assert found.label is SentimentLabel.POSITIVE
    assert found.score == found.positive


def test_all_pieces_of_a_call_go_in_one_batch() -> None:
    engine = WordEngine()
    make_service(engine).analyse("words", said("a|b", " ", "c", "", "d|e|f"))
    assert engine.batches == [["a", "b", "c", "d", "e", "f"]]


def test_blank_texts_are_neutral_and_reach_no_engine() -> None:
    engine = WordEngine()
    assert make_service(engine).analyse("words", said("", " \n")) == [NOTHING_SAID, NOTHING_SAID]
    assert (NOTHING_SAID.label, NOTHING_SAID.score) == (SentimentLabel.NEUTRAL, 1.0)
    assert make_service(engine).analyse("words", []) == []
    assert engine.batches == []


@pytest.mark.parametrize(
    "engine",
    [
        WordEngine(error=RuntimeError("secret text of the call")),
        WordEngine(answers=[GOOD, GOOD]),
        WordEngine(answers=[SentimentScores(0.5, 0.6, 0.7)]),
        WordEngine(answers=[SentimentScores(float("nan"), 0.5, 0.5)]),
    ],
)
def test_an_engine_that_fails_is_a_failed_stage(engine: WordEngine) -> None:
    with pytest.raises(StageFailed) as caught:
        make_service(engine).analyse("words", said("a text"))
    assert caught.value.code == "sentiment_failed"
    assert "secret" not in caught.value.detail
    assert caught.value.__cause__ is not None


def test_errors_with_a_name_pass_through() -> None:
    service = make_service(WordEngine(error=EngineUnavailable("sentiment", "no weights")))
    with pytest.raises(EngineUnavailable, match="no weights"):
        service.analyse("words", said("a text"))
    with pytest.raises(EngineUnavailable, match="no weights"):
        service.load("words")


def test_a_load_that_fails_is_a_failed_stage() -> None:
    with pytest.raises(StageFailed, match="RuntimeError"):
        make_service(WordEngine(error=RuntimeError("broken"))).load("words")


def test_an_unknown_engine_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="transformer, embedding, lexicon, multilingual"):
        SentimentService(make_settings()).analyse("oracle", said("a text"))


@pytest.mark.parametrize("name", ["transformer", "lexicon"])
def test_the_example_of_the_service(real: SentimentService, name: str) -> None:
    found = real.analyse(
        name,
        said(
            "Hello, I'm interested in your product.",
            "That sounds great, but it's a bit too expensive for our budget.",
        ),
    )
    assert [each.label for each in found] == [SentimentLabel.POSITIVE, SentimentLabel.NEGATIVE]


@pytest.mark.parametrize("name", ["transformer", "lexicon"])
def test_the_last_third_of_a_long_monologue_counts(real: SentimentService, name: str) -> None:
    """5,000 tokens and more: nothing raised, every word read, and another ending gives another score."""
    story = [f"{POSITIVE} {NEUTRAL}"] * 320
    happy_end = " ".join([*story, *([POSITIVE] * 560)])
    sad_end = " ".join([*story, *([NEGATIVE] * 210)])
    assert min(len(re.findall(r"\w+|[^\w\s]", text)) for text in (happy_end, sad_end)) > 5000
    happy, sad = real.analyse(name, said(happy_end, sad_end))
    assert happy.positive > sad.positive + 0.1
    assert sad.negative > happy.negative + 0.1


def test_sixteen_threads_of_250_calls_each_equal_one(real: SentimentService) -> None:
    texts = [
        f"{opening} {ending}"
        for opening in (POSITIVE, NEGATIVE, NEUTRAL, "hello", "we are not")
        for ending in ("", "the meeting is on tuesday", "thank you", "it never works", "for our team at ten")
    ]
    expected = [real.analyse("transformer", said(text))[0] for text in texts]

    def run(thread: int) -> int:
        picks = [(thread * 7 + call) % len(texts) for call in range(250)]
        return sum(real.analyse("transformer", said(texts[pick]))[0] == expected[pick] for pick in picks)

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(run, range(16))) == 4000
