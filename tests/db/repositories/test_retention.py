"""What time takes from calls: their recordings, their words, and never what is held."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from app.db.models import Base
from app.db.repositories.calls import CallRepository
from app.db.repositories.comments import CommentRepository
from app.db.repositories.recordings import RecordingRepository
from app.db.repositories.results import ResultRepository
from app.db.repositories.retention import RetentionRepository
from app.db.session import Database
from app.schemas.analysis import Analysis
from app.schemas.call import CallFilter, CallOptions, CallRecord
from app.schemas.comment import Comment
from app.schemas.correction import CorrectText
from app.schemas.metrics import Filler, Metrics
from app.schemas.review import Opinion, SegmentReviewed, Verdict
from app.schemas.speaker import NameSpeaker
from app.schemas.utterance import Before
from app.services.metrics_service import measure
from tests.db.review_values import put, review
from tests.db.values import T0, analysis, at, completed, new_call, stored
from tests.services.webhooks.calls import fail

WORD = "Zwetschge"


def _get(database: Database, call_id: str = "A") -> CallRecord:
    with database.snapshot() as session:
        record = CallRepository(session).get(call_id)
    assert record is not None
    return record


def _current(database: Database, call_id: str = "A") -> Analysis | None:
    with database.snapshot() as session:
        return ResultRepository(session).current(call_id)


def _release(database: Database, before: float, now: float = 1000, limit: int = 100) -> tuple[str, ...]:
    with database.session() as session:
        return RetentionRepository(session).release_recordings(at(before), at(now), limit)


def _delete_texts(database: Database, before: float, now: float = 1000, limit: int = 100) -> tuple[str, ...]:
    with database.session() as session:
        return RetentionRepository(session).delete_texts(at(before), at(now), limit)


def _hold(database: Database, call_id: str, held: bool = True) -> bool:
    with database.session() as session:
        return RetentionRepository(session).hold(call_id, held=held)


def _whole_database(database: Database) -> str:
    with database.snapshot() as session:
        return "\n".join(
            str(tuple(row))
            for name in Base.metadata.tables
            for row in session.execute(text(f"SELECT * FROM {name}"))
        )


def _measured(call_id: str) -> Metrics:
    measured = measure(analysis(call_id).conversation)
    return replace(measured, fillers=(Filler("speaker_0", WORD, 1.0, 1.2, 0, 1),))


def _told(value: Any) -> Any:
    """Every text of the analysis with the word in it that must be gone later."""
    return replace(
        value,
        segments=tuple(
            replace(
                part,
                segment=replace(
                    part.segment,
                    words=tuple(replace(word, text=f"{word.text}{WORD}") for word in part.segment.words),
                ),
                moments=tuple(
                    replace(moment, evidence=replace(moment.evidence, text=WORD)) for moment in part.moments
                ),
            )
            for part in value.segments
        ),
        speakers=tuple(replace(speaker, name=WORD) for speaker in value.speakers),
        metrics=_measured("A"),
    )


def _call_full_of_words(database: Database) -> None:
    """Two versions made by the service and one by a reviewer, each full of it."""
    options = CallOptions("en", vocabulary=(WORD,))
    completed(database, "A", 0, ("objection",), metadata={WORD: WORD}, options=options)
    with database.session() as session:
        results = ResultRepository(session)
        results.add("A", _told(analysis("A")), at(2))
        editable = results.editable("A")
        assert editable is not None
        edits = (
            NameSpeaker("speaker_0", WORD),
            CorrectText("t_1", 1, WORD, WORD, 4.0, 5.0, None, at(3)),
        )
        results.replace_edited("A", editable.id, edits, _told(analysis("A")), at(3))
    with database.session() as session:
        CommentRepository(session).add(Comment("c_1", "A", 1.0, WORD, WORD, at(4), at(4)))
    said = Before("agent", WORD)
    put(
        database,
        review(
            opinion=Opinion(Verdict.WRONG, note=WORD),
            moment=replace(review().moment, evidence=WORD),
            segment=SegmentReviewed(WORD, "customer", ("objection/price",), said),
        ),
    )


def test_recordings_of_calls_that_are_old_enough_are_released_oldest_first(database: Database) -> None:
    for number in range(4):
        completed(database, f"C{number}", number)
    assert _release(database, 3, limit=2) == ("audio/C0", "audio/C1")
    assert _release(database, 3, limit=2) == ("audio/C2",)
    assert _release(database, 3) == ()
    assert _get(database, "C0").audio_key is None
    assert _get(database, "C0").audio_deleted_at == at(1000)
    assert (_get(database, "C3").audio_key, _get(database, "C3").audio_deleted_at) == ("audio/C3", None)
    assert _current(database, "C0") is not None


def test_only_finished_calls_lose_anything(database: Database) -> None:
    stored(database, "QUEUED")
    fail(database, "FAILED", T0)
    assert _release(database, 1) == ("audio/FAILED",)
    assert _delete_texts(database, 1) == ("FAILED",)
    assert _get(database, "QUEUED").text_deleted_at is None
    assert _get(database, "FAILED").metadata == {}


def test_a_held_call_loses_nothing_until_it_is_released(database: Database) -> None:
    completed(database, "A", 0)
    before = _get(database), _current(database)
    assert _hold(database, "A")
    assert _release(database, 10) == ()
    assert _delete_texts(database, 10) == ()
    assert (replace(_get(database), legal_hold=False), _current(database)) == before
    assert _hold(database, "A", held=False)
    assert _release(database, 10) == ("audio/A",)
    assert _delete_texts(database, 10) == ("A",)
    assert not _hold(database, "NOWHERE")


def test_no_word_is_left_and_all_numbers_stay(database: Database) -> None:
    _call_full_of_words(database)
    whole = _current(database)
    assert whole is not None and whole.metrics is not None
    assert _whole_database(database).count(WORD) > 50
    assert _delete_texts(database, 1) == ("A",)
    assert WORD not in _whole_database(database)
    record, left = _get(database), _current(database)
    assert left is not None
    assert (record.metadata, record.options.vocabulary, record.text_deleted_at) == ({}, None, at(1000))
    assert record.audio_key == "audio/A"
    wordless = tuple(
        replace(
            moment,
            segment=None,
            speaker=None,
            evidence=replace(moment.evidence, text="", start_char=0, end_char=0, first_word=0, last_word=0),
        )
        for moment in whole.moments
    )
    assert left.moments == wordless
    assert left == replace(
        whole,
        segments=(),
        call_moments=left.call_moments,
        speakers=tuple(replace(speaker, name=None) for speaker in whole.speakers),
        metrics=replace(
            whole.metrics, fillers=tuple(replace(filler, text="") for filler in whole.metrics.fillers or ())
        ),
    )
    with database.snapshot() as session:
        (version,) = ResultRepository(session).versions("A")
    assert (version.edits, version.edited_from, version.is_current) == ((), None, True)
    assert _delete_texts(database, 1) == ()


def test_words_of_other_calls_stay(database: Database) -> None:
    completed(database, "OLD", 0, ("objection",))
    completed(database, "YOUNG", 5, ("objection",))
    before = _get(database, "YOUNG"), _current(database, "YOUNG")
    assert _delete_texts(database, 5) == ("OLD",)
    assert (_get(database, "YOUNG"), _current(database, "YOUNG")) == before


def test_a_call_without_metrics_and_one_without_speech_can_lose_their_words(database: Database) -> None:
    stored(database, "A")
    completed(database, "SILENT", 1)
    with database.session() as session:
        ResultRepository(session).add(
            "SILENT", analysis("SILENT", segments=(), call_moments=(), speakers=()), at(2)
        )
    assert _delete_texts(database, 10) == ("SILENT",)
    left = _current(database, "SILENT")
    assert left is not None
    assert (left.metrics, left.speakers) == (None, ())


def test_a_call_that_starts_over_is_as_new(database: Database) -> None:
    fail(database, "A", T0)
    assert _release(database, 1) and _delete_texts(database, 1)
    with database.session() as session:
        assert CallRepository(session).restart(new_call("A"), at(1))
    record = _get(database)
    assert (record.text_deleted_at, record.audio_deleted_at) == (None, None)
    assert record.metadata == new_call("A").metadata


def test_sweeps_at_the_same_time_take_each_call_once(database: Database) -> None:
    for number in range(12):
        completed(database, f"C{number:02}", number, ("objection",))
    taken: list[str] = []
    ready = threading.Barrier(4)

    def sweep() -> None:
        ready.wait()
        while found := _release(database, 100, limit=3) + _delete_texts(database, 100, limit=3):
            taken.extend(found)

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(
        name for number in range(12) for name in (f"C{number:02}", f"audio/C{number:02}")
    )


def _plan(database: Database, work: Callable[[Session], object]) -> list[str]:
    """How SQLite goes about the queries of ``work``."""
    queries: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        queries.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.session() as session:
            work(session)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    with database.undisturbed() as connection:
        return [
            row[3]
            for query, parameters in queries
            if query.startswith("SELECT")
            for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", parameters)
        ]


@pytest.mark.parametrize(
    ("work", "index"),
    [
        (lambda session: RetentionRepository(session).release_recordings(T0, T0, 9), "ix_calls_with_audio"),
        (lambda session: RetentionRepository(session).delete_texts(T0, T0, 9), "ix_calls_with_text"),
        (lambda session: CallRepository(session).page(CallFilter(legal_hold=True), 9, None), "ix_calls_held"),
        (lambda session: RecordingRepository(session).page("a", 9), "ix_calls_audio_key"),
        (lambda session: RecordingRepository(session).known(["a"]), "ix_calls_audio_key"),
    ],
)
def test_sqlite_finds_what_is_asked_for_by_an_index(
    database: Database, work: Callable[[Session], object], index: str
) -> None:
    if not database.is_sqlite:
        pytest.skip("how PostgreSQL goes about it depends on what is in the tables")
    steps = _plan(database, work)
    assert any(index in step for step in steps), steps
    assert not any("TEMP B-TREE" in step for step in steps), steps
