"""The transformer engine on a real miniature checkpoint: exact labels, windows, no question to the hub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.exceptions import EngineUnavailable, StageFailed
from app.schemas.engine import EngineState
from app.services.sentiment.base import SentimentScores
from app.services.sentiment.transformer import FETCH_FIX, TransformerEngine
from tests.services.sentiment.factories import (
    DEFAULT_MODEL,
    MINI,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    closed_network,
    closed_port,
    copy_model,
    make_settings,
    said,
    serve_hub,
)


@pytest.fixture(scope="module")
def engine() -> TransformerEngine:
    return TransformerEngine(make_settings())


@pytest.fixture
def hub_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TransformerEngine, "hub_url", f"http://127.0.0.1:{closed_port()}")


def label_of(scores: SentimentScores) -> str:
    chances = {"POSITIVE": scores.positive, "NEUTRAL": scores.neutral, "NEGATIVE": scores.negative}
    return max(chances, key=lambda label: chances[label])


def test_the_committed_model_is_small_and_has_no_pickle() -> None:
    files = list(MINI.iterdir())
    assert sum(file.stat().st_size for file in files) < 3 * 1024 * 1024
    assert {file.suffix for file in files} == {".json", ".txt", ".safetensors"}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Hello, I'm interested in your product.", "POSITIVE"),
        ("That sounds great.", "POSITIVE"),
        ("this would solve our problem", "POSITIVE"),
        ("That sounds great, but it's a bit too expensive for our budget.", "NEGATIVE"),
        ("it's a bit too expensive for our budget", "NEGATIVE"),
        ("I want to cancel my account.", "NEGATIVE"),
        ("The price is nine hundred dollars a month.", "NEUTRAL"),
        ("I will send you the proposal by Friday.", "NEUTRAL"),
        ("what is the best number for your office", "NEUTRAL"),
    ],
)
def test_exact_labels(engine: TransformerEngine, text: str, label: str) -> None:
    [scores] = engine.score(said(text))
    assert label_of(scores) == label
    assert max(scores.positive, scores.neutral, scores.negative) > 0.9


def test_the_engine_says_what_the_library_says(engine: TransformerEngine) -> None:
    from transformers import pipeline

    plain = pipeline("text-classification", model=str(MINI), top_k=None, device="cpu")
    for text in (POSITIVE, NEGATIVE, NEUTRAL, "a text of other words"):
        chances = {each["label"]: each["score"] for each in plain([text])[0]}
        [scores] = engine.score(said(text))
        certainty = (chances["POSITIVE"] - chances["NEGATIVE"]) ** 2
        assert scores.positive == pytest.approx(chances["POSITIVE"] * certainty, abs=1e-5)
        assert scores.negative == pytest.approx(chances["NEGATIVE"] * certainty, abs=1e-5)


def test_windows_hold_what_the_model_reads_at_once(engine: TransformerEngine) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(MINI)
    for text in ("we are very happy with the service. " * 640, "happy " * 5000, "ab." * 2500):
        pieces = engine.window(text)
        lengths = [len(tokenizer(piece, add_special_tokens=False)["input_ids"]) for piece in pieces]
        assert sum(lengths) >= 5000
        assert max(lengths) <= 510
        assert len(engine.score(said(*pieces))) == len(pieces)
        assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_fact_with_a_text_of_any_length_beside_it_scores_the_same(engine: TransformerEngine) -> None:
    mixed = "that sounds great. the price is nine hundred dollars"
    alone = engine.score(said(mixed))[0]
    beside = engine.score(said(NEGATIVE, "happy " * 400, mixed, "x", *["no, we are not interested."] * 70))[2]
    assert beside.positive == pytest.approx(alone.positive, abs=1e-5)
    assert beside.neutral == pytest.approx(alone.neutral, abs=1e-5)


def test_a_model_without_tokenizer_json_loads_from_its_vocabulary(tmp_path: Path) -> None:
    copy = copy_model(tmp_path / "plain", "tokenizer.json")
    engine = TransformerEngine(make_settings(sentiment_model=str(copy)))
    assert engine.availability().state is EngineState.READY
    assert label_of(engine.score(said(NEGATIVE))[0]) == "NEGATIVE"


def test_labels_name_the_model(engine: TransformerEngine) -> None:
    assert engine.label == "transformer:mini_distilbert"
    by_default = TransformerEngine(make_settings(sentiment_model=DEFAULT_MODEL))
    assert by_default.label == f"transformer:{DEFAULT_MODEL}"


def test_a_model_that_is_called_english_is_asked_for_english_only() -> None:
    english = TransformerEngine(make_settings(sentiment_model=DEFAULT_MODEL))
    assert english.capabilities.speaks("en")
    assert not english.capabilities.speaks("de")
    assert TransformerEngine(make_settings(sentiment_model="acme/mood")).capabilities.speaks("de")


def test_loading_and_scoring_ask_the_network_nothing() -> None:
    engine = TransformerEngine(make_settings())
    with closed_network() as tried:
        assert engine.availability().state is EngineState.READY
        engine.load()
        engine.score(said(*engine.window(POSITIVE)))
    assert tried == []


@pytest.mark.usefixtures("hub_away")
def test_without_weights_loading_fails_at_once(tmp_path: Path) -> None:
    """transformers by itself tries the hub again and again for 27 s; one probe is all that is allowed."""
    engine = TransformerEngine(make_settings(sentiment_model=DEFAULT_MODEL, sentiment_model_dir=tmp_path))
    with closed_network() as tried, pytest.raises(EngineUnavailable, match="fetch-models") as caught:
        engine.load()
    assert len(tried) == 1
    assert caught.value.code == "sentiment_unavailable"
    assert str(tmp_path) not in caught.value.detail


def test_broken_weights_fail_without_a_question_to_the_hub(tmp_path: Path) -> None:
    copy = copy_model(tmp_path / "broken")
    (copy / "model.safetensors").write_bytes(b"not weights")
    engine = TransformerEngine(make_settings(sentiment_model=str(copy)))
    with closed_network() as tried, pytest.raises(EngineUnavailable, match="cannot be loaded") as caught:
        engine.load()
    assert tried == []
    assert str(tmp_path) not in caught.value.detail


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    copy = copy_model(tmp_path / "pickled", "*.safetensors")
    (copy / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    engine = TransformerEngine(make_settings(sentiment_model=str(copy)))
    assert engine.availability().state is EngineState.UNAVAILABLE
    with pytest.raises(EngineUnavailable):
        engine.load()


def test_a_classifier_of_something_else_is_refused(tmp_path: Path) -> None:
    copy = copy_model(tmp_path / "spam")
    config = json.loads((copy / "config.json").read_text())
    config["id2label"], config["label2id"] = {"0": "spam", "1": "ham"}, {"spam": 0, "ham": 1}
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(EngineUnavailable, match="no sentiment model"):
        TransformerEngine(make_settings(sentiment_model=str(copy))).load()


@pytest.mark.usefixtures("hub_away")
def test_no_weights_and_no_hub_is_unavailable_with_the_way_out(tmp_path: Path) -> None:
    engine = TransformerEngine(make_settings(sentiment_model=DEFAULT_MODEL, sentiment_model_dir=tmp_path))
    seen = engine.availability()
    assert seen.state is EngineState.UNAVAILABLE
    assert seen.reason is not None
    assert "hub cannot be reached" in seen.reason
    assert seen.fix == FETCH_FIX
    with pytest.raises(StageFailed, match="hub cannot be reached"):
        engine.fetch()


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    engine = TransformerEngine(make_settings(sentiment_model=str(tmp_path / "nowhere")))
    seen = engine.availability()
    assert seen.state is EngineState.UNAVAILABLE
    assert seen.reason is not None
    assert str(tmp_path) not in seen.reason


def test_from_fetchable_to_ready_through_a_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_settings(sentiment_model="acme/mood", sentiment_model_dir=tmp_path)
    with serve_hub(MINI) as hub:
        monkeypatch.setattr(TransformerEngine, "hub_url", hub.url)
        engine = TransformerEngine(settings)
        assert engine.availability().state is EngineState.LOADING
        engine.fetch()
    assert engine.availability().state is EngineState.READY
    engine.fetch()
    assert label_of(engine.score(said(NEGATIVE))[0]) == "NEGATIVE"
