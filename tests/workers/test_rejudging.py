"""Corrected words judged anew: which are, by whom, and what trouble leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Event
from typing import cast

import pytest

from app.core.exceptions import EngineUnavailable, StageFailed
from app.schemas.correction import Draft
from app.schemas.engine import EngineChoice
from app.schemas.reading import Reading
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.utterance import Utterance
from app.services.audio_service import AudioService
from app.services.coachable_service import CoachableService
from app.workers.engines import Engines
from app.workers.pipeline import Stages
from app.workers.progress import Progress
from app.workers.rejudging import rejudge
from app.workers.word_run import WordRun
from tests.analyses import two_segments
from tests.db.databases import settings_for
from tests.workers.test_pipeline import CALIBRATIONS

NEW = Sentiment(SentimentLabel.NEUTRAL, 1.0, 0.0, 1.0, 0.0)
SETTINGS = settings_for("sqlite://")


class StubEngines:
    """A judge and a reader that remember what they were asked; ``broken`` stages raise."""

    def __init__(self, *broken: str, label: str = "lexicon:x") -> None:
        self._broken = broken
        self._label = label
        self.judged: list[str] = []
        self.read_texts: list[str] = []
        self.refusal = None

    @property
    def choice(self) -> EngineChoice:
        return EngineChoice("sentiment", "lexicon", self._label)

    def judge(self, duration_s: float, stopped: Event, language: str | None = None) -> StubEngines:
        if "judge" in self._broken:
            raise EngineUnavailable("sentiment", "nobody")
        return self

    def analyse(self, utterances: Sequence[Utterance]) -> list[Sentiment]:
        if "sentiment" in self._broken:
            raise StageFailed("sentiment", "broke")
        self.judged += [utterance.text for utterance in utterances]
        return [NEW for _ in utterances]

    def reader(self, duration_s: float, stopped: Event) -> StubReader:
        return StubReader(self)


class StubReader:
    choice = EngineChoice("reading", "embedding", "embedding:r1")

    def __init__(self, engines: StubEngines) -> None:
        self._engines = engines

    def speaks(self, language: str | None) -> bool:
        return True

    def read(self, utterances: Sequence[Utterance], language: str | None) -> list[Reading | None]:
        self._engines.read_texts += [utterance.text for utterance in utterances]
        return [Reading("r1", utterance.role, {"objection": 0.9}, {}) for utterance in utterances]


def stages(engines: StubEngines) -> Stages:
    coachable = CoachableService(SETTINGS, CALIBRATIONS)
    return Stages(AudioService(SETTINGS), cast("Engines", engines), coachable)


def draft(**engines: str) -> Draft:
    """Of two segments the second is to be judged."""
    conversation = two_segments().conversation
    old = Reading("r1", "unknown", {"objection": 0.1}, {})
    conversation = replace(conversation, sentiments=(conversation.sentiments[0], None), readings=(old, None))
    return Draft(conversation, (1,), {"sentiment": "lexicon:x", "reading": "embedding:r1", **engines})


def test_only_what_is_unjudged_is_judged() -> None:
    asked, engines = draft(), StubEngines()
    judged = rejudge(asked, stages(engines), Progress())
    assert judged.sentiments == (asked.conversation.sentiments[0], NEW)
    assert (engines.judged, engines.read_texts) == (["but that is too expensive"],) * 2
    assert judged.readings[0] == asked.conversation.readings[0]
    assert judged.readings[1] == Reading("r1", "unknown", {"objection": 0.9}, {})
    assert judged.engines == {"sentiment": "lexicon:x", "reading": "embedding:r1"}
    assert (judged.notices, judged.failed_stages) == ((), ())


def test_another_judge_than_before_judges_everything() -> None:
    engines = StubEngines(label="transformer:y")
    judged = rejudge(draft(), stages(engines), Progress())
    assert judged.sentiments == (NEW, NEW)
    assert judged.engines["sentiment"] == "transformer:y"


def test_a_reading_for_another_role_is_made_anew() -> None:
    asked, engines = draft(), StubEngines()
    first, second = asked.conversation.segments
    swapped = replace(asked.conversation, segments=(replace(first, role="customer"), second))
    judged = rejudge(replace(asked, conversation=swapped), stages(engines), Progress())
    assert judged.readings[0] == Reading("r1", "customer", {"objection": 0.9}, {})


def test_trouble_is_told_and_who_waits_for_the_answer_gets_an_error() -> None:
    judged = rejudge(draft(), stages(StubEngines("sentiment")), Progress())
    assert judged.failed_stages == ("sentiment",)
    assert [notice.code for notice in judged.notices] == ["sentiment_failed"]
    with pytest.raises(StageFailed) as failed:
        WordRun(stages(StubEngines("sentiment"))).judge(draft())
    assert failed.value.code == "sentiment_failed"
    with pytest.raises(EngineUnavailable):
        WordRun(stages(StubEngines("judge"))).judge(draft())
