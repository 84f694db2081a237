"""The facade of readers: answers are counted, and trouble bears the stage's name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.core.exceptions import ConfigurationError, EngineUnavailable, StageFailed
from app.schemas.engine import Availability, Capabilities
from app.schemas.reading import Reading
from app.schemas.utterance import Utterance
from app.services.reading_service import ReadingService
from tests.services.sentiment.factories import make_settings, said

READING = Reading("r1", "unknown", {"objection": 0.5}, {})


class StubReader:
    name = label = "stub"
    capabilities = Capabilities(languages=frozenset({"en"}))

    def __init__(self, answers: Sequence[Reading | None] = (), error: Exception | None = None) -> None:
        self._answers = list(answers)
        self._error = error

    def availability(self) -> Availability:
        return Availability.ready()

    def fetch(self) -> None:
        """Nothing to fetch."""

    def load(self) -> None:
        if self._error:
            raise self._error

    def read(self, utterances: Sequence[Utterance], language: str | None) -> list[Reading | None]:
        self.load()
        return self._answers


def service(reader: StubReader) -> ReadingService:
    return ReadingService(make_settings(), {"stub": reader})


def test_readings_come_back_in_order() -> None:
    found = service(StubReader([READING, None])).read("stub", said("a", ""), "en")
    assert found == [READING, None]


def test_a_missing_answer_is_a_failure_and_not_a_shift() -> None:
    with pytest.raises(StageFailed, match="stub engine failed: ValueError") as caught:
        service(StubReader([READING])).read("stub", said("a", "b"), "en")
    assert caught.value.code == "reading_failed"


def test_what_an_engine_raises_is_told_without_its_words() -> None:
    broken = service(StubReader(error=RuntimeError("the customer said: never")))
    for act in (lambda: broken.load("stub"), lambda: broken.read("stub", said("a"), "en")):
        with pytest.raises(StageFailed) as caught:
            act()
        assert "customer" not in caught.value.detail


def test_errors_of_ours_pass() -> None:
    with pytest.raises(EngineUnavailable, match="gone"):
        service(StubReader(error=EngineUnavailable("reading", "gone"))).load("stub")


def test_an_unknown_reader_is_named() -> None:
    with pytest.raises(ConfigurationError, match="unknown classifier of moments 'oracle'; known: embedding"):
        service(StubReader()).read("oracle", said("a"), "en")
