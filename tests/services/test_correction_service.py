"""Corrections of the text as they are stored: beside the original, with others', in whatever order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.exceptions import (
    AppError,
    CallNotFound,
    CallNotReady,
    CallUnfinished,
    CorrectionNotFound,
    EngineUnavailable,
    SegmentNotFound,
    TextDeleted,
)
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import ResultRepository
from app.db.repositories.retention import RetentionRepository
from app.db.session import Database
from app.schemas.analysis import AnalysedSegment, Analysis, Notice
from app.schemas.call import Queue
from app.schemas.correction import Draft, Judged
from app.schemas.reading import Reading
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.speaker import Role, Speaker, SwapSpeakers
from app.services.coachable_service import CoachableService
from app.services.correction_service import CorrectionService
from app.services.edited_analysis import concluded, drafted
from app.services.playbook_library import PlaybookLibrary
from app.services.speaker_service import SpeakerService
from app.services.utterances import utterances_of
from tests.analyses import analysis_of, spoken
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.databases import settings_for, sqlite_database
from tests.db.values import T0, at, completed, stored
from tests.services.webhooks.calls import fail

__all__ = ["database", "quick_folder", "shared_database"]

SAID = ("we like it a lot", "that is too expansive for us", "it pays for itself", "I need my manager")
SWAP = SwapSpeakers("speaker_0", "speaker_1")


def judged_by_length(draft: Draft) -> Judged:
    """An engine of its own kind: the same words after the same words have the same figures."""
    conversation = draft.conversation
    sentiments, readings = list(conversation.sentiments), list(conversation.readings)
    said = utterances_of(conversation.segments)
    for place in draft.unjudged:
        share = len(said[place].text) / 100
        sentiments[place] = Sentiment(SentimentLabel.NEUTRAL, share, 0.0, share, 1 - share)
        before = said[place].before
        readings[place] = Reading(
            "r1", said[place].role, {"objection": len(before.text if before else "")}, {}
        )
    return Judged(tuple(sentiments), tuple(readings), {"sentiment": "length"})


def original() -> Analysis:
    parts = (spoken(text, 5.0 * at, at, f"speaker_{at % 2}") for at, text in enumerate(SAID))
    empty = analysis_of(*(AnalysedSegment(part, None, (), False, None) for part in parts))
    speakers = (Speaker("speaker_0", Role.AGENT, 0.8), Speaker("speaker_1", Role.CUSTOMER, 0.7))
    draft = Draft(empty.conversation, tuple(range(len(SAID))), {})
    judged = judged_by_length(draft)
    return replace(
        empty,
        speakers=speakers,
        engines={"stt": "scripted:x", "sentiment": "length"},
        segments=tuple(
            replace(part, sentiment=sentiment, reading=reading)
            for part, sentiment, reading in zip(
                empty.segments, judged.sentiments, judged.readings, strict=True
            )
        ),
    )


@pytest.fixture(scope="module")
def coachable() -> CoachableService:
    return CoachableService(settings_for("sqlite://"))


class Reviewer:
    """Whoever corrects call A."""

    def __init__(self, database: Database, coachable: CoachableService) -> None:
        self.database = database
        library = PlaybookLibrary(database, coachable, settings_for("sqlite://"))
        self.corrections = CorrectionService(database, coachable, library)
        self.speakers = SpeakerService(database, coachable, library)
        self.asked: list[tuple[int, ...]] = []

    def judge(self, draft: Draft) -> Judged:
        self.asked.append(draft.unjudged)
        return judged_by_length(draft)

    def correct(self, segment: int, text: str) -> None:
        self.corrections.correct("A", segment, text, self.judge)

    def withdraw(self, segment: int) -> None:
        self.corrections.withdraw("A", segment, self.judge)

    def swap(self) -> None:
        self.speakers.edit("A", [SWAP])

    @property
    def shown(self) -> Analysis:
        with self.database.snapshot() as session:
            found = ResultRepository(session).current("A")
        assert found is not None
        return found

    @property
    def texts(self) -> list[str]:
        return [part.segment.text for part in self.shown.segments]


def ready(database: Database) -> None:
    completed(database, "A", 0)
    with database.session() as session:
        ResultRepository(session).add("A", original(), at(2))


@pytest.fixture
def reviewer(database: Database, coachable: CoachableService) -> Reviewer:
    ready(database)
    return Reviewer(database, coachable)


def test_a_correction_shows_at_once_with_all_that_follows_from_it(reviewer: Reviewer) -> None:
    assert not reviewer.shown.moments
    reviewer.correct(1, "that is too expensive for us")
    shown = reviewer.shown
    assert [part.segment.text for part in shown.segments] == [
        SAID[0],
        "that is too expensive for us",
        *SAID[2:],
    ]
    assert shown.transcript == " ".join(part.segment.text for part in shown.segments)
    (price,) = [moment for moment in shown.moments if moment.subtype == "price"]
    assert price.evidence.text == "too expensive for us"
    assert shown.metrics is not None
    # The segment itself and the answer to it.
    assert reviewer.asked == [(1, 2)]
    untouched = [0, 3]
    assert [shown.segments[at].sentiment for at in untouched] == [
        original().segments[at].sentiment for at in untouched
    ]
    (made,) = reviewer.corrections.of_call("A")
    assert (made.segment, made.heard, made.text) == (1, SAID[1], "that is too expensive for us")
    assert (made.start_s, made.end_s, made.channel) == (5.0, 7.9, None)


def test_a_moment_keeps_its_id_while_its_words_keep_their_times(reviewer: Reviewer) -> None:
    reviewer.correct(1, "that is too expensive for us")
    (before,) = [moment for moment in reviewer.shown.moments if moment.subtype == "price"]
    reviewer.correct(1, "oh that was too expensive for us")
    (after,) = [moment for moment in reviewer.shown.moments if moment.subtype == "price"]
    assert (after.id, after.evidence.text) == (before.id, "too expensive for us")


def test_what_was_heard_takes_a_correction_back(reviewer: Reviewer) -> None:
    before = reviewer.shown
    reviewer.correct(1, "that is dear")
    reviewer.correct(1, "that is too  expansive for us")
    assert reviewer.shown == before
    assert reviewer.corrections.of_call("A") == ()
    with pytest.raises(CorrectionNotFound):
        reviewer.withdraw(1)


def test_the_same_correction_again_changes_nothing(reviewer: Reviewer) -> None:
    reviewer.correct(1, "that is dear")
    made = reviewer.corrections.of_call("A")
    reviewer.correct(1, " that  is dear")
    assert reviewer.corrections.of_call("A") == made
    assert len(reviewer.asked) == 1


def test_an_engine_that_is_away_changes_nothing(reviewer: Reviewer) -> None:
    def nobody(_draft: Draft) -> Judged:
        raise EngineUnavailable("sentiment", "nobody is here")

    with pytest.raises(EngineUnavailable):
        reviewer.corrections.correct("A", 1, "that is dear", nobody)
    assert reviewer.shown == original()


def test_another_engine_judges_everything_and_is_named(reviewer: Reviewer) -> None:
    def other(draft: Draft) -> Judged:
        everything = replace(draft, unjudged=tuple(range(len(SAID))))
        lesser = (Notice("sentiment", "degraded_engine", "other: weaker"),)
        return replace(judged_by_length(everything), engines={"sentiment": "other"}, notices=lesser)

    reviewer.corrections.correct("A", 1, "that is dear", other)
    assert reviewer.shown.engines == {"stt": "scripted:x", "sentiment": "other"}
    reviewer.swap()
    shown = reviewer.shown
    assert (shown.engines["sentiment"], shown.degraded) == ("other", True)
    assert [notice.code for notice in shown.warnings] == ["degraded_engine", "roles_corrected"]
    assert reviewer.texts[1] == "that is dear"


def test_several_at_once_lose_nothing_of_one_another(reviewer: Reviewer) -> None:
    barrier = threading.Barrier(len(SAID))

    def correct(segment: int) -> None:
        barrier.wait()
        reviewer.correct(segment, f"number {segment}")

    threads = [threading.Thread(target=correct, args=(segment,)) for segment in range(len(SAID))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reviewer.texts == [f"number {segment}" for segment in range(len(SAID))]
    assert len(reviewer.corrections.of_call("A")) == len(SAID)


def test_step_by_step_comes_to_what_all_at_once_does(reviewer: Reviewer, coachable: CoachableService) -> None:
    reviewer.correct(1, "that is too expensive for us")
    reviewer.correct(3, "is my manager there")
    reviewer.correct(2, "it costs too much")
    reviewer.withdraw(2)
    reviewer.correct(1, "that is far too expensive for us")
    with reviewer.database.snapshot() as session:
        result = ResultRepository(session).editable("A")
    assert result is not None
    assert result.original == original()
    assert result.current == reviewer.shown
    draft = drafted(original(), result.edits, original())
    playbook = PlaybookLibrary(reviewer.database, coachable, settings_for("sqlite://")).current(
        original().playbook
    )
    whole = concluded("A", original(), draft, judged_by_length(draft), playbook, coachable)
    assert reviewer.shown == whole


def test_a_correction_of_speakers_meanwhile_is_not_lost(reviewer: Reviewer) -> None:
    def slow(draft: Draft) -> Judged:
        if not reviewer.asked:
            reviewer.asked.append(())
            reviewer.swap()
        return reviewer.judge(draft)

    reviewer.corrections.correct("A", 1, "that is dear", slow)
    assert reviewer.texts[1] == "that is dear"
    assert [speaker.role for speaker in reviewer.shown.speakers] == [Role.CUSTOMER, Role.AGENT]


@pytest.mark.parametrize(
    ("call_id", "error"),
    [
        ("NOBODY", CallNotFound),
        ("QUEUED", CallUnfinished),
        ("AGAIN", CallUnfinished),
        ("FAILED", CallNotReady),
        ("WORDLESS", TextDeleted),
        ("B", SegmentNotFound),
    ],
)
def test_what_cannot_be_corrected(
    database: Database, reviewer: Reviewer, call_id: str, error: type[AppError]
) -> None:
    completed(database, "WORDLESS", -100)
    with database.session() as session:
        RetentionRepository(session).delete_texts(at(-50), at(-40), 9)
    stored(database, "QUEUED", 3)
    fail(database, "FAILED", T0)
    completed(database, "B", 4)
    completed(database, "AGAIN", 5)
    with database.session() as session:
        CallRepository(session).rerun("AGAIN", Queue.ANALYZE, at(6))
    with pytest.raises(error):
        reviewer.corrections.correct(call_id, 7, "x", reviewer.judge)
    assert reviewer.asked == []


def test_a_correction_that_fits_no_more_can_be_dropped(reviewer: Reviewer) -> None:
    reviewer.correct(1, "that is dear")
    (made,) = reviewer.corrections.of_call("A")
    with reviewer.database.session() as session:
        results = ResultRepository(session)
        results.add("A", original(), at(9))
        results.add_edited("A", (replace(made, segment=None),), original(), at(9))
    with pytest.raises(CorrectionNotFound):
        reviewer.withdraw(1)
    with pytest.raises(CorrectionNotFound):
        reviewer.corrections.drop("A", "t_other", reviewer.judge)
    reviewer.corrections.drop("A", made.id, reviewer.judge)
    assert reviewer.corrections.of_call("A") == ()
    assert reviewer.shown == original()


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory, coachable: CoachableService) -> Iterator[Reviewer]:
    folder: Path = tmp_path_factory.mktemp("corrections")
    with sqlite_database(folder) as database:
        ready(database)
        yield Reviewer(database, coachable)


_STEPS = st.lists(
    st.just("swap")
    | st.tuples(st.integers(0, len(SAID) - 1), st.sampled_from(["a b", "that is dear", *SAID])),
    max_size=7,
)


@given(steps=_STEPS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_undoing_everything_gives_back_the_identical_original(
    lone: Reviewer, steps: list[str | tuple[int, str]]
) -> None:
    said, swapped = list(SAID), False
    for step in steps:
        if isinstance(step, str):
            lone.swap()
            swapped = not swapped
        else:
            lone.correct(*step)
            said[step[0]] = step[1]
    shown = lone.shown
    assert [part.segment.text for part in shown.segments] == said
    roles = [Role.CUSTOMER, Role.AGENT] if swapped else [Role.AGENT, Role.CUSTOMER]
    assert [speaker.role for speaker in shown.speakers] == roles
    for correction in lone.corrections.of_call("A"):
        assert correction.segment is not None
        lone.withdraw(correction.segment)
    if swapped:
        lone.swap()
    assert lone.shown == original()
    with lone.database.snapshot() as session:
        versions = ResultRepository(session).versions("A")
    assert [(version.edits, version.is_current) for version in versions] == [((), False), ((), True)]
