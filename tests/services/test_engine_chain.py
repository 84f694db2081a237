"""Which engine answers, and what is said of those that do not."""

from __future__ import annotations

import threading

import pytest

from app.core.exceptions import EngineUnavailable, StageFailed, UnsupportedLanguage
from app.schemas.engine import Availability, Capabilities, EngineState
from app.services.engine_chain import EngineChain


class StubEngine:
    """An engine that is as available as it is told to be."""

    def __init__(self, name: str, available: Availability, **capabilities: object) -> None:
        self.name = name
        self.available = available
        self.capabilities = Capabilities(**capabilities)  # type: ignore[arg-type]

    @property
    def label(self) -> str:
        return f"{self.name}:x"

    def availability(self) -> Availability:
        return self.available


def ready(name: str, **capabilities: object) -> StubEngine:
    return StubEngine(name, Availability.ready(), **capabilities)


def missing(name: str) -> StubEngine:
    return StubEngine(name, Availability.unavailable("not installed", "pip install it"))


def test_the_first_usable_engine_answers_undegraded() -> None:
    chain = EngineChain("stt", [ready("a"), ready("b")])
    chain.look()
    choice = chain.choose()
    assert (choice.name, choice.label, choice.degraded, choice.reason) == ("a", "a:x", False, None)


def test_a_lesser_choice_says_why() -> None:
    chain = EngineChain("stt", [missing("a"), ready("b")])
    chain.look()
    choice = chain.choose()
    assert (choice.name, choice.degraded) == ("b", True)
    assert choice.reason is not None
    assert "a:x is not usable: not installed" in choice.reason


def test_an_engine_that_is_lesser_by_itself_is_degraded_even_alone() -> None:
    chain = EngineChain("stt", [ready("a", lesser="only for trying")])
    chain.look()
    assert chain.choose().degraded
    assert chain.choose().reason == "a:x: only for trying"


def test_none_usable_names_each_with_its_fix() -> None:
    chain = EngineChain("stt", [missing("a")])
    chain.look()
    with pytest.raises(EngineUnavailable) as caught:
        chain.choose()
    assert caught.value.code == "stt_unavailable"
    assert caught.value.retry_after_s
    assert "a:x: not installed (pip install it)" in caught.value.detail


def test_an_engine_that_sends_data_out_needs_leave() -> None:
    chain = EngineChain("tts", [ready("a", sends_data_out=True), ready("b")])
    chain.look()
    assert chain.choose().name == "a"
    assert chain.choose(external=False).name == "b"
    alone = EngineChain("tts", [ready("a", sends_data_out=True)])
    alone.look()
    with pytest.raises(EngineUnavailable, match="ALLOW_EXTERNAL_ENGINES"):
        alone.choose(external=False)


def test_language_decides_among_usable_engines() -> None:
    english = ready("a", languages=frozenset({"en"}))
    chain = EngineChain("stt", [english, ready("b")])
    chain.look()
    assert chain.choose("en").name == "a"
    assert chain.choose("de").name == "b"
    alone = EngineChain("stt", [english])
    alone.look()
    with pytest.raises(UnsupportedLanguage, match="'de'"):
        alone.choose("de")


def test_weights_are_fetched_in_the_background_while_the_next_engine_answers() -> None:
    better = StubEngine("a", Availability.fetchable("its weights are not here yet"))
    may_arrive, began = threading.Event(), threading.Event()

    def fetch(stage: str, name: str) -> None:
        assert (stage, name) == ("stt", "a")
        began.set()
        assert may_arrive.wait(10)
        better.available = Availability.ready()

    usable: list[str] = []
    taken = threading.Event()

    def on_usable(name: str) -> None:
        usable.append(name)
        if name == "a":
            taken.set()

    chain = EngineChain("stt", [better, ready("b")], fetch=fetch, on_usable=on_usable)
    chain.start()
    assert began.wait(10)
    choice = chain.choose()
    assert (choice.name, choice.degraded) == ("b", True)
    assert choice.reason is not None
    assert "its weights are not here yet" in choice.reason
    may_arrive.set()
    assert taken.wait(10)
    chain.stop()
    assert usable == ["b", "a"]
    assert chain.choose().name == "a"


def test_a_failed_fetch_is_shown_and_does_not_stop_the_chain() -> None:
    tried = threading.Event()

    def fetch(_stage: str, _name: str) -> None:
        tried.set()
        raise StageFailed("stt", "the hub refused")

    chain = EngineChain("stt", [StubEngine("a", Availability.fetchable("not here")), ready("b")], fetch=fetch)
    chain.start()
    assert tried.wait(10)
    chain.stop()
    assert chain.choose().name == "b"


def test_a_model_that_cannot_be_loaded_gives_way_until_the_next_look() -> None:
    offered: list[str] = []
    chain = EngineChain("stt", [ready("a"), ready("b")], on_usable=offered.append)
    assert chain.choose().name == "a"  # the look in the background is over
    chain.mark_broken("a", "the checkpoint is damaged")
    assert chain.choose().name == "b"
    assert offered[-1] == "b"
    assert chain.views()[0].state is EngineState.UNAVAILABLE
    assert chain.views()[0].reason == "the checkpoint is damaged"
    chain.look()
    chain.stop()
    assert chain.choose().name == "a"


def test_views_tell_loading_loaded_and_reserve_apart() -> None:
    chain = EngineChain("stt", [ready("a"), ready("b")])
    assert [view.state for view in chain.views()] == [EngineState.LOADING, EngineState.LOADING]
    chain.look()
    first, second = chain.views()
    assert (first.state, first.in_reserve) == (EngineState.LOADING, False)
    assert (second.state, second.in_reserve) == (EngineState.READY, True)
    chain.mark_loaded("a")
    assert chain.views()[0].state is EngineState.READY
    chain.mark_unloaded()
    assert chain.views()[0].state is EngineState.LOADING


def test_a_call_waits_a_bounded_time_for_the_first_look() -> None:
    class SlowEngine(StubEngine):
        def availability(self) -> Availability:
            threading.Event().wait(0.5)
            return super().availability()

    chain = EngineChain("stt", [SlowEngine("a", Availability.ready())])
    with pytest.raises(EngineUnavailable, match="not looked at yet"):
        chain.choose(wait_s=0.01)
    assert chain.choose(wait_s=30).name == "a"
    chain.stop()


def test_an_engine_that_is_unfit_for_a_call_makes_the_next_no_lesser_choice() -> None:
    chain = EngineChain("diarization", [ready("a", per_channel=True), ready("b")])
    chain.look()
    choice = chain.choose(unfit=lambda engine: "one channel" if engine.name == "a" else None)
    assert (choice.name, choice.degraded) == ("b", False)
    assert chain.choose().name == "a"
    with pytest.raises(EngineUnavailable, match="a: one channel; b: one channel"):
        chain.choose(unfit=lambda _: "one channel")


def test_an_engine_that_nobody_installed_is_not_missed_where_it_is_opt_in() -> None:
    absent = StubEngine("a", Availability.not_installed("not installed"), opt_in=True)
    chain = EngineChain("diarization", [absent, ready("b")])
    chain.look()
    assert not chain.choose().degraded
    assert chain.views()[0].reason == "not installed"
    absent.available = Availability.unavailable("no token")
    chain.look()
    assert chain.choose().reason == "a:x is not usable: no token"


def test_engines_for_some_recordings_only_are_loaded_beside_the_best_of_the_rest() -> None:
    told: list[str] = []
    engines = [ready("a", per_channel=True), ready("b"), ready("c")]
    chain = EngineChain("diarization", engines, on_usable=told.append)
    chain.look()
    assert told == ["a", "b"]
    assert [view.in_reserve for view in chain.views()] == [False, False, True]
    chain.mark_loaded("a")
    chain.mark_loaded("b")
    assert {view.state for view in chain.views()} == {EngineState.READY}


def test_weights_are_fetched_of_engines_behind_one_for_some_recordings_only() -> None:
    fetched: list[str] = []
    engines = [
        ready("a", per_channel=True),
        StubEngine("b", Availability.fetchable("not here yet")),
        ready("c"),
    ]
    chain = EngineChain("diarization", engines, fetch=lambda _, name: fetched.append(name), interval_s=60)
    chain.start()
    chain.choose()
    wait = threading.Event()
    while not fetched:
        wait.wait(0.01)
    chain.stop()
    assert fetched[0] == "b"
