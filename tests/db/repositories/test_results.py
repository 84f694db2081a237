"""Analyses come back equal to what was stored, version after version."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, text

from app.core.exceptions import CallNotFound
from app.db.models import ResultRow, SegmentRow, TranscriptRow
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.analysis import AnalysedSegment, Analysis, Notice
from app.schemas.correction import CorrectText
from app.schemas.moment import Evidence, Moment, MomentType, ObjectionSubtype
from app.schemas.reading import Reading
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.speaker import Role, RoleSource, Speaker
from app.schemas.transcript import Segment, Word
from tests.db.values import T0, analysis, at, long_analysis, plain_analysis, stored

# NUL and lone surrogates are the two things that are replaced; see test_types.
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
_NUMBER = st.floats(allow_nan=False, allow_infinity=False)
_PLACE = st.integers(min_value=0, max_value=2**31 - 1)
_WORD = st.builds(
    Word,
    _TEXT,
    _NUMBER,
    _NUMBER,
    st.none() | _NUMBER,
    space_before=st.booleans(),
    ends_segment=st.booleans(),
    channel=st.none() | st.integers(0, 1),
    estimated=st.booleans(),
)
_SPEAKER = st.builds(
    Speaker,
    _TEXT,
    st.sampled_from(Role),
    _NUMBER,
    st.sampled_from(RoleSource),
    st.none() | _TEXT,
    st.none() | st.integers(0, 1),
)
_SENTIMENT = st.builds(
    Sentiment, st.sampled_from(SentimentLabel), st.none() | _NUMBER, _NUMBER, _NUMBER, _NUMBER
)
_CHANCE = st.floats(0, 1)
_READING = st.builds(
    Reading,
    revision=_TEXT,
    role=st.sampled_from(("agent", "customer", "unknown")),
    types=st.dictionaries(st.sampled_from([kind.value for kind in MomentType]), _CHANCE),
    subtypes=st.dictionaries(st.sampled_from([kind.value for kind in ObjectionSubtype]), _CHANCE),
    sentiment=st.none() | st.tuples(_CHANCE, _CHANCE, _CHANCE),
    clauses=st.dictionaries(st.sampled_from([kind.value for kind in MomentType]), st.tuples(_PLACE, _PLACE)),
)
_EVIDENCE = st.builds(Evidence, _TEXT, _PLACE, _PLACE, _NUMBER, _NUMBER, _PLACE, _PLACE)


@st.composite
def _parts(draw: st.DrawFn) -> tuple[AnalysedSegment, ...]:
    ids = iter(range(100))
    parts = []
    for index in sorted(draw(st.sets(_PLACE, max_size=3))):
        words = draw(st.lists(_WORD, min_size=1, max_size=3))
        moment = st.builds(
            Moment,
            id=_TEXT.map(lambda start: f"{start}{next(ids)}"),
            type=_TEXT,
            subtype=st.none() | _TEXT,
            confidence=_NUMBER,
            source=_TEXT,
            rule=_TEXT,
            why=_TEXT,
            tip=_TEXT,
            segment=st.just(index),
            speaker=_TEXT,
            role=_TEXT,
            evidence=_EVIDENCE,
        )
        parts.append(
            AnalysedSegment(
                Segment(index, draw(_TEXT), tuple(words), draw(_TEXT)),
                draw(st.none() | _SENTIMENT),
                tuple(draw(st.lists(moment, max_size=2, unique_by=lambda one: one.id))),
                draw(st.booleans()),
                draw(st.none() | _TEXT),
                draw(st.none() | _READING),
            )
        )
    return tuple(parts)


_ANALYSIS = st.builds(
    Analysis,
    duration_s=_NUMBER,
    language=st.none() | _TEXT,
    language_confidence=st.none() | _NUMBER,
    segments=_parts(),
    engines=st.dictionaries(_TEXT, _TEXT, max_size=3),
    degraded=st.booleans(),
    warnings=st.lists(st.builds(Notice, _TEXT, _TEXT, _TEXT), max_size=2).map(tuple),
    playbook=_TEXT,
    playbook_revision=_TEXT,
    failed_stages=st.lists(_TEXT, max_size=2).map(tuple),
    speakers=st.lists(_SPEAKER, max_size=2).map(tuple),
    loudness=st.lists(st.lists(_NUMBER, max_size=3).map(tuple), max_size=2).map(tuple),
    separate_channels=st.booleans(),
)


def _stored_and_read(database: Database, expected: Analysis) -> Analysis | None:
    with database.session() as session:
        ResultRepository(session).add("CALL-001", expected, T0)
    with database.snapshot() as session:
        return ResultRepository(session).current("CALL-001")


def test_what_comes_back_equals_what_went_in(database: Database) -> None:
    stored(database)
    expected = analysis()
    found = _stored_and_read(database, expected)
    assert found == expected
    assert found is not None
    assert found.transcript == expected.transcript
    assert found.segments[1].sentiment is not None
    assert isinstance(found.segments[1].sentiment.label, SentimentLabel)


@pytest.mark.parametrize(
    "changes",
    [
        {"segments": (), "language": None, "language_confidence": None},
        {"warnings": (), "engines": {}, "failed_stages": ("sentiment", "coachable")},
        {"degraded": False, "playbook": "", "playbook_revision": ""},
    ],
    ids=["no speech", "nothing to say", "defaults"],
)
def test_sparse_analyses_come_back_too(database: Database, changes: dict[str, Any]) -> None:
    stored(database)
    expected = analysis(**changes)
    assert _stored_and_read(database, expected) == expected


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(expected=_ANALYSIS)
def test_any_analysis_comes_back_equal(database: Database, expected: Analysis) -> None:
    with database.session() as session:
        session.execute(text("DELETE FROM calls"))
    stored(database)
    assert _stored_and_read(database, expected) == expected


def test_text_that_no_database_holds_keeps_its_length(database: Database) -> None:
    stored(database)
    part = analysis().segments[0]
    words = (Word("a\x00b", 0.0, 1.0), Word("c\udc00", 1.0, 2.0))
    found = _stored_and_read(
        database, analysis(segments=(replace(part, segment=replace(part.segment, words=words)),))
    )
    assert found is not None
    assert found.segments[0].segment.text == "a\ufffdb c\ufffd"


def test_versions_count_up_and_the_newest_is_current(database: Database) -> None:
    stored(database)
    stored(database, "CALL-002")
    first, second = analysis(), analysis(segments=())
    with database.session() as session:
        repository = ResultRepository(session)
        assert repository.current("CALL-001") is None
        assert repository.add("CALL-001", first, at(1)) == 1
        assert repository.current("CALL-001") == first
        assert repository.add("CALL-001", second, at(2)) == 2
        assert repository.add("CALL-002", plain_analysis("CALL-002", ("objection",)), at(3)) == 1
        assert repository.current("CALL-001") == second
        rows = session.execute(
            select(ResultRow.version, ResultRow.created_at, ResultRow.status)
            .where(ResultRow.call_id == "CALL-001")
            .order_by(ResultRow.version)
        ).all()
    assert [tuple(row) for row in rows] == [(1, at(1), "completed"), (2, at(2), "completed")]


def test_an_unknown_call_takes_no_result(database: Database) -> None:
    with pytest.raises(CallNotFound), database.session() as session:
        ResultRepository(session).add("nobody", analysis(), T0)
    with database.snapshot() as session:
        assert ResultRepository(session).current("nobody") is None


def test_the_text_is_kept_whole_and_by_segment(database: Database) -> None:
    stored(database)
    expected = analysis()
    _stored_and_read(database, expected)
    with database.snapshot() as session:
        assert session.scalars(select(TranscriptRow.text)).all() == [expected.transcript]
        rows = session.execute(
            select(SegmentRow.text, SegmentRow.start_s, SegmentRow.end_s).order_by(SegmentRow.idx)
        ).all()
    assert [tuple(row) for row in rows] == [
        (part.segment.text, part.segment.start_s, part.segment.end_s) for part in expected.segments
    ]


def test_a_moment_under_a_segment_that_it_does_not_name_is_refused(database: Database) -> None:
    stored(database)
    expected = analysis()
    moments = expected.segments[1].moments
    wrong = replace(expected, segments=(replace(expected.segments[0], moments=moments),))
    with pytest.raises(ValueError, match="moment"), database.session() as session:
        ResultRepository(session).add("CALL-001", wrong, T0)


def test_words_that_stay_are_copied_from_the_version_before(database: Database) -> None:
    stored(database, "A")
    first = long_analysis(20, 5)
    part = first.segments[7]
    words = (Word("another", 7.0, 7.5, channel=1), *part.segment.words[3:])
    said = replace(part, segment=replace(part.segment, words=words))
    corrected = replace(first, segments=(*first.segments[:7], said, *first.segments[8:]))
    made = CorrectText("t_1", 7, said.segment.text, part.segment.text, 7.0, 8.0, None, at(2))
    with database.session() as session:
        ResultRepository(session).add("A", first, at(1))
    for turn, edited in enumerate((corrected, replace(corrected, degraded=not corrected.degraded))):
        with database.session() as session:
            results = ResultRepository(session)
            before = results.editable("A")
            assert before is not None
            assert results.is_current("A", before)
            results.replace_edited("A", before.id, (made,), edited, at(3 + turn), like=before.original)
            assert not results.is_current("A", before)
        with database.snapshot() as session:
            after = ResultRepository(session).editable("A")
        assert after is not None
        assert (after.original, after.current, after.edits) == (first, edited, (made,))


def test_a_correction_leaves_the_segments_as_they_were_cut(database: Database) -> None:
    stored(database, "A")
    first = long_analysis(3, 2)
    with database.session() as session:
        results = ResultRepository(session)
        results.add("A", first, T0)
        (before,) = results.versions("A")
        fewer = replace(first, segments=first.segments[:2])
        with pytest.raises(ValueError, match="neither add segments"):
            results.replace_edited("A", 1, (), fewer, at(1), like=before.analysis)


def test_a_long_call_is_stored_and_read_in_few_statements(database: Database) -> None:
    """20,000 words: what counts is that no statement is sent for each of them."""
    stored(database, "LONG")
    expected = long_analysis(segments=1000, words_each=20)
    statements = list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.session() as session:
            ResultRepository(session).add("LONG", expected, T0)
        with database.snapshot() as session:
            found = ResultRepository(session).current("LONG")
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    assert found == expected
    assert len(statements) < 25
    with database.session() as session:
        assert CallRepository(session).delete("LONG") is not None
        assert session.scalar(text("SELECT count(*) FROM words")) == 0
