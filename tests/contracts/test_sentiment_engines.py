"""What every sentiment engine promises, asked of each that the registry knows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.exceptions import EngineUnavailable
from app.schemas.engine import EngineState
from app.services.sentiment.base import SentimentEngine, SentimentScores
from app.services.sentiment.registry import SENTIMENT_ENGINES
from app.services.sentiment.transformer import TransformerEngine
from tests.services.sentiment.factories import (
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    closed_network,
    closed_port,
    make_settings,
    said,
)

LIBRARIES = {
    "transformer": ("transformers", "torch"),
    "embedding": ("onnxruntime", "tokenizers"),
    "lexicon": ("vaderSentiment",),
    "multilingual": ("transformers", "torch"),
}
TEXTS = [
    POSITIVE,
    NEGATIVE,
    NEUTRAL,
    "hello i'm interested in your product",
    "WE ARE NOT HAPPY WITH THE SERVICE!",
    "Überraschung — 9,99 € für 你好",
    "x",
    "happy " * 300,
    "?",
    "that sounds great. but the price is too expensive, and we have forty people in the office.",
]
NAMES = pytest.mark.parametrize("name", SENTIMENT_ENGINES.names())
IN_8_BITS = "transformer in 8 bits"
ENGINES = pytest.mark.parametrize("name", [*SENTIMENT_ENGINES.names(), IN_8_BITS])
Maker = Callable[[str], SentimentEngine]


@pytest.fixture(scope="module")
def make_engine(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    in_8_bits = make_settings(sentiment_precision="int8", sentiment_model_dir=tmp_path_factory.mktemp("int8"))

    def make(name: str) -> SentimentEngine:
        if name == IN_8_BITS:
            return SENTIMENT_ENGINES.create("transformer", in_8_bits)
        return SENTIMENT_ENGINES.create(name, make_settings())

    return make


@pytest.fixture(scope="module")
def engine_named(make_engine: Maker) -> Maker:
    made: dict[str, SentimentEngine] = {}

    def find(name: str) -> SentimentEngine:
        if name not in made:
            made[name] = make_engine(name)
            made[name].load()
        return made[name]

    return find


def rounded(scores: SentimentScores) -> tuple[float, ...]:
    return tuple(round(value, 5) for value in (scores.positive, scores.neutral, scores.negative))


def near(found: list[SentimentScores], expected: list[SentimentScores]) -> bool:
    pairs = zip(found, expected, strict=True)
    return all(
        abs(one.positive - two.positive) < 2e-5 and abs(one.negative - two.negative) < 2e-5
        for one, two in pairs
    )


def test_every_engine_has_its_libraries_listed_here() -> None:
    assert set(LIBRARIES) == set(SENTIMENT_ENGINES.names())


@ENGINES
def test_probabilities(engine_named: Maker, name: str) -> None:
    scores = engine_named(name).score(said(*TEXTS))
    assert len(scores) == len(TEXTS)
    for each in scores:
        assert each.positive + each.neutral + each.negative == pytest.approx(1, abs=1e-6)
        assert all(0 <= value <= 1 for value in (each.positive, each.neutral, each.negative))


@ENGINES
def test_good_plain_and_bad_news(engine_named: Maker, name: str) -> None:
    good, bad, plain = engine_named(name).score(said(POSITIVE, NEGATIVE, NEUTRAL))
    assert good.positive > max(good.neutral, good.negative)
    assert bad.negative > max(bad.neutral, bad.positive)
    assert plain.neutral > max(plain.positive, plain.negative)


@ENGINES
def test_no_text_no_score(engine_named: Maker, name: str) -> None:
    assert engine_named(name).score([]) == []


@ENGINES
def test_the_same_again_is_the_same(engine_named: Maker, make_engine: Maker, name: str) -> None:
    first = engine_named(name).score(said(*TEXTS))
    assert engine_named(name).score(said(*TEXTS)) == first
    other = make_engine(name)
    assert other.score(said(*TEXTS)) == first


@ENGINES
def test_order_and_neighbours_do_not_matter(engine_named: Maker, name: str) -> None:
    engine = engine_named(name)
    alone = [engine.score(said(text))[0] for text in TEXTS]
    assert near(engine.score(said(*TEXTS)), alone)
    assert near(engine.score(said(*TEXTS[::-1])), alone[::-1])
    assert near(engine.score(said(*(TEXTS * 8))), alone * 8)


@ENGINES
@pytest.mark.parametrize(
    "text",
    [
        *TEXTS,
        "We have about forty people in the office. What is the best number? " * 200,
        "no full stop anywhere just words " * 300,
        "w" * 5000,
        "a.b" * 2000,
        "  two  spaces\nand lines\n\n " * 200,
    ],
)
def test_windows_lose_nothing(engine_named: Maker, name: str, text: str) -> None:
    engine = engine_named(name)
    pieces = engine.window(text)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(piece.strip() for piece in pieces)
    assert len(engine.score(said(*pieces))) == len(pieces)


@ENGINES
def test_a_short_text_is_one_window(engine_named: Maker, name: str) -> None:
    assert engine_named(name).window(NEGATIVE) == [NEGATIVE]
    assert engine_named(name).window("  ") == []


@ENGINES
def test_threads_get_what_one_gets(engine_named: Maker, name: str) -> None:
    engine = engine_named(name)
    expected = {text: engine.score(said(text)) for text in TEXTS}

    def run(offset: int) -> bool:
        texts = (TEXTS * 3)[offset : offset + 12]
        return all(engine.window(text) and engine.score(said(text)) == expected[text] for text in texts)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, range(8)))


@ENGINES
def test_several_threads_may_load_at_once(make_engine: Maker, name: str) -> None:
    engine = make_engine(name)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: rounded(engine.score(said(NEGATIVE))[0]), range(4)))
    assert len(set(results)) == 1


@NAMES
def test_names_and_labels(engine_named: Maker, name: str) -> None:
    engine = engine_named(name)
    assert engine.name == name
    kind, _, model = engine.label.partition(":")
    assert (kind, bool(model)) == (name, True)
    assert "/" not in model


@ENGINES
def test_nothing_leaves_the_machine(engine_named: Maker, name: str) -> None:
    engine = engine_named(name)
    assert not engine.capabilities.sends_data_out
    with closed_network() as tried:
        engine.score(said(*[piece for text in TEXTS for piece in engine.window(text)]))
    assert tried == []


@NAMES
def test_ready_where_everything_is_here(name: str) -> None:
    engine = SENTIMENT_ENGINES.create(name, make_settings())
    assert engine.availability().state is EngineState.READY
    engine.fetch()


@NAMES
def test_a_missing_library_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in LIBRARIES[name]:
        with monkeypatch.context() as without:
            without.setitem(sys.modules, library, None)
            seen = SENTIMENT_ENGINES.create(name, make_settings()).availability()
        assert seen.state is EngineState.UNAVAILABLE
        assert seen.reason is not None
        assert library in seen.reason
        assert seen.fix == f'pip install "darwix-ai[{name}]"'


@NAMES
@pytest.mark.parametrize(
    "model", ["no/such-model", "/nowhere/at/all", "../../etc", "", "a b c", "~no-such-user/x"]
)
def test_availability_never_raises(
    name: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TransformerEngine, "hub_url", f"http://127.0.0.1:{closed_port()}")
    settings: Settings = make_settings(sentiment_model=model, sentiment_model_dir=tmp_path / "none")
    seen = SENTIMENT_ENGINES.create(name, settings).availability()
    if seen.state is not EngineState.READY:
        assert seen.reason
        assert seen.fix


def test_weights_that_are_not_here_stop_the_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TransformerEngine, "hub_url", f"http://127.0.0.1:{closed_port()}")
    engine = TransformerEngine(make_settings(sentiment_model="no/such", sentiment_model_dir=tmp_path))
    with pytest.raises(EngineUnavailable):
        engine.score(said("a text"))
