"""Who judges and who reads a call: by language, and where an engine is away."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from app.core.exceptions import EngineCrashed, EngineUnavailable
from app.schemas.engine import Availability, Capabilities
from app.services.engine_chain import EngineChain
from app.workers import engines as engines_module
from app.workers.engines import Engines
from tests.services.test_engine_chain import StubEngine, missing, ready
from tests.settings import make_settings

ENGLISH = frozenset({"en"})


class StubProcess:
    """Loads everything at once; answers a request with what was asked."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.loaded: list[tuple[Any, ...]] = []

    def submit(self, stage: str, operation: str, *arguments: Any) -> Future[None]:
        self.loaded.append(arguments)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def stop(self) -> None:
        """Nothing runs."""

    def request(self, *asked: Any, deadline: float, stopped: Event) -> list[Any]:
        return list(asked)


@pytest.fixture
def make_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(engines_module, "EngineProcess", StubProcess)

    def make(**chains: list[StubEngine]) -> Engines:
        made = {stage: EngineChain(stage.split("_")[0], engines) for stage, engines in chains.items()}
        return Engines(make_settings(tmp_path), made)

    return make


def english(**capabilities: Any) -> StubEngine:
    return ready("embedding", languages=ENGLISH, **capabilities)


def test_english_is_judged_by_the_chain(make_engines: Any) -> None:
    engines = make_engines(sentiment=[english()], sentiment_multilingual=[ready("multilingual")])
    for language in ("en", None):
        judge = engines.judge(60.0, Event(), language)
        assert (judge.choice.name, judge.refusal) == ("embedding", None)


def test_other_languages_are_judged_by_their_own_model(make_engines: Any) -> None:
    engines = make_engines(sentiment=[english()], sentiment_multilingual=[ready("multilingual")])
    judge = engines.judge(60.0, Event(), "es")
    assert (judge.choice.stage, judge.choice.name, judge.refusal) == ("sentiment", "multilingual", None)
    assert judge.analyse([]) == ["sentiment", "analyse_sentiment", "multilingual", ()]


def test_where_that_model_is_away_nobody_guesses(make_engines: Any) -> None:
    away = StubEngine("multilingual", Availability.unavailable("the hub cannot be reached"))
    judge = make_engines(sentiment=[english()], sentiment_multilingual=[away]).judge(60.0, Event(), "es")
    assert judge.choice.name == "embedding"
    assert "embedding cannot do language 'es'" in judge.refusal
    assert "the hub cannot be reached" in judge.refusal


def test_a_model_of_the_chain_that_speaks_the_language_is_asked(make_engines: Any) -> None:
    engines = make_engines(sentiment=[english(), ready("transformer")], sentiment_multilingual=[ready("m")])
    assert engines.judge(60.0, Event(), "es").choice.name == "transformer"


def test_the_model_for_other_languages_waits_for_a_call_in_one(make_engines: Any) -> None:
    engines = make_engines(sentiment=[english()], sentiment_multilingual=[ready("multilingual")])
    engines.start()
    engines.judge(60.0, Event(), "en")
    assert set(engines.views()) == {"sentiment"}
    engines.judge(60.0, Event(), "es")
    assert set(engines.views()) == {"sentiment", "sentiment_multilingual"}
    assert ("sentiment", "multilingual") in engines._process.loaded
    engines.stop()


def test_sentiment_that_is_off(make_engines: Any) -> None:
    assert make_engines(stt=[ready("a")]).judge(60.0, Event(), "es") is None


def test_the_reader(make_engines: Any) -> None:
    reader = make_engines(reading=[english()]).reader(60.0, Event())
    assert (reader.choice.stage, reader.choice.label) == ("reading", "embedding:x")
    assert reader.speaks("en")
    assert reader.speaks(None)
    assert not reader.speaks("it")
    assert reader.read([], "en") == ["reading", "read", "embedding", (), "en"]
    assert make_engines(stt=[ready("a")]).reader(60.0, Event()) is None


def test_a_reader_that_is_away_keeps_no_call_from_being_taken(make_engines: Any) -> None:
    engines = make_engines(stt=[ready("a")], diarization=[ready("b")], reading=[missing("embedding")])
    engines.check("en")
    assert engines.are_usable()
    with pytest.raises(EngineUnavailable, match="not installed"):
        engines.reader(60.0, Event())


def test_an_engine_that_is_as_good_is_no_lesser_one() -> None:
    chain = EngineChain("sentiment", [missing("transformer"), ready("embedding", as_good=True)])
    chain.look()
    choice = chain.choose()
    assert (choice.name, choice.degraded, choice.reason) == ("embedding", False, None)
    assert [view.as_good for view in chain.views()] == [False, True]
    chain = EngineChain("sentiment", [missing("embedding"), ready("lexicon", lesser="a word list")])
    chain.look()
    assert chain.choose().degraded
    assert Capabilities().as_good is False


def test_a_stop_while_models_load_is_no_error(
    make_engines: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Five errors at the end of the log would hide the one line that says why the service stops."""
    loading: Future[None] = Future()
    monkeypatch.setattr(StubProcess, "submit", lambda *_: loading)
    monkeypatch.setattr(
        StubProcess, "stop", lambda _: loading.set_exception(EngineCrashed("stt", "it ended"))
    )
    engines = make_engines(sentiment=[english()])
    engines.start()
    assert engines.judge(60.0, Event(), "en") is not None
    engines.stop()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
