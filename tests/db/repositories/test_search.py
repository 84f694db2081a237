"""Search in transcripts: what is found, in which order, and that nothing typed is an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.db.migrate import downgrade, migrate
from app.db.repositories import search_texts
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import ResultRepository
from app.db.repositories.retention import RetentionRepository
from app.db.session import Database
from app.schemas.analysis import AnalysedSegment, Analysis
from app.schemas.call import CallFilter, CallSummary
from app.schemas.speaker import NameSpeaker
from app.schemas.transcript import Segment, Word
from tests.db.values import analysis, at, completed

SAID = {
    "A": ("Hello, how can I help?", "That is too expensive for our budget."),
    "B": ("The price is fine.", "But is it too late? Expensive it is not."),
    "C": ("Das ist zu teuer für die Größe.", "你好，价格太高了。"),
    "D": ("It's the café's pricing.",),
}


def _analysis(call_id: str, said: Sequence[str]) -> Analysis:
    parts = []
    for index, line in enumerate(said):
        words = tuple(
            Word(word, index * 10 + place / 2, index * 10 + (place + 1) / 2)
            for place, word in enumerate(line.split())
        )
        segment = Segment(index * 3, f"speaker_{index}", words, "customer")  # numbers may have gaps
        parts.append(AnalysedSegment(segment, None, (), False, None))
    return analysis(call_id, segments=tuple(parts), call_moments=())


def _say(database: Database, call_id: str, *said: str) -> None:
    with database.session() as session:
        ResultRepository(session).add(call_id, _analysis(call_id, said), at(99))


def _found(database: Database, q: str, limit: int = 50) -> list[CallSummary]:
    with database.snapshot() as session:
        return list(CallRepository(session).page(CallFilter(q=q), limit, None)[0])


def _ids(database: Database, q: str) -> str:
    return "".join(line.call.call_id for line in _found(database, q))


def _places(database: Database) -> int:
    with database.snapshot() as session:
        return session.execute(text("SELECT count(*) FROM search_texts")).scalar_one()


@pytest.fixture
def said(database: Database) -> Database:
    for number, (call_id, lines) in enumerate(SAID.items()):
        completed(database, call_id, number)
        _say(database, call_id, *lines)
    return database


@pytest.mark.parametrize("many", [1, 1000])
@pytest.mark.parametrize(
    ("q", "ids"),
    [
        ("expensive", "BA"),
        ("EXPENSIVE too ", "BA"),
        ("exp", "BA"),
        ("exp ", ""),
        ("pric", "DB"),
        ('"too expensive"', "A"),
        ('"too exp', "A"),
        ('"too exp"', ""),
        ('"expensive too"', ""),
        ("too expensive hello", "A"),
        ('"late expensive"', "B"),
        ('"fine but"', ""),
        ("grosse", "C"),
        ("GRÖSSE", "C"),
        ("价格", "C"),
        ("格价", ""),
        ("cafe", "D"),
        ("café's", "D"),
        ("it's", "D"),
        ("its ", ""),
        ("nowhere", ""),
        ("?!", ""),
    ],
)
def test_words_phrases_and_beginnings(
    said: Database, monkeypatch: pytest.MonkeyPatch, q: str, ids: str, many: int
) -> None:
    monkeypatch.setattr(search_texts, "_MANY", many)
    assert _ids(said, q) == ids


def test_a_line_shows_where_it_was_said(said: Database) -> None:
    (line,) = _found(said, "hello too budg")
    match = line.match
    assert match is not None
    assert (match.segment, match.start_s, match.speaker, match.role) == (3, 10.0, "speaker_1", "customer")
    assert [match.text[start:end] for start, end in match.marks] == ["too", "budget"]
    (line,) = _found(said, '"can I" expensive')
    assert line.match == replace(
        match, segment=0, start_s=0.0, speaker="speaker_0", text=SAID["A"][0], marks=((11, 16),)
    )
    with said.snapshot() as session:
        lines, _ = CallRepository(session).page(CallFilter(), 50, None)
    assert [line.match for line in lines] == [None] * 4


@pytest.mark.parametrize("many", [2, 1000])
def test_pages_of_what_is_found_neither_skip_nor_repeat(
    database: Database, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """Whether the index names those that hold the words, or calls are looked at one by one."""
    monkeypatch.setattr(search_texts, "_MANY", many)
    for number in range(25):
        completed(database, f"{number:02}", number // 3)
        _say(database, f"{number:02}", "a price" if number % 2 else "no such thing")
    seen, cursor = list[str](), None
    while True:
        with database.snapshot() as session:
            page, cursor = CallRepository(session).page(CallFilter(q="price", agent_id="agent-1"), 5, cursor)
        seen += [line.call.call_id for line in page]
        if cursor is None:
            break
    assert seen == [f"{number:02}" for number in range(23, 0, -2)]


def test_only_what_is_current_is_found(said: Database) -> None:
    _say(said, "A", "Quite cheap, in fact.")
    assert (_ids(said, "cheap"), _ids(said, "budget")) == ("A", "")
    with said.session() as session:
        results = ResultRepository(session)
        edited = results.editable("A")
        assert edited is not None
        corrected = replace(_analysis("A", ["Quite a chip."]), degraded=False)
        results.replace_edited("A", edited.id, (NameSpeaker("speaker_0", "Ada"),), corrected, at(100))
    assert (_ids(said, "chip"), _ids(said, "cheap")) == ("A", "")
    with said.session() as session:
        ResultRepository(session).replace_edited("A", edited.id, (), None, at(101))
    assert (_ids(said, "chip"), _ids(said, "cheap")) == ("", "A")
    assert _places(said) == 4


def test_what_is_gone_is_not_found(said: Database) -> None:
    with said.session() as session:
        CallRepository(session).delete("A")
    assert _ids(said, "expensive") == "B"
    with said.session() as session:
        assert RetentionRepository(session).delete_texts(at(1000), at(1000), 2) == ("B", "C")
    assert (_ids(said, "expensive"), _ids(said, "grosse"), _ids(said, "cafe")) == ("", "", "D")
    assert _places(said) == 1


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(q=st.text(max_size=30) | st.text(alphabet="ab é\"'*:()-^+{}[]\\&|!<>%_$?\x00你ह", max_size=20))
def test_nothing_that_is_typed_is_an_error(database: Database, q: str) -> None:
    assert _found(database, q) == []


def test_results_of_before_are_made_searchable_by_the_migration(empty_database: Database) -> None:
    migrate(empty_database)
    completed(empty_database, "A", 0, ("objection",))
    with empty_database.session() as session:
        ResultRepository(session).add("A", analysis("A"), at(1))
    (before,) = _found(empty_database, "budget")
    downgrade(empty_database, "0013")
    migrate(empty_database)
    (after,) = _found(empty_database, "budget")
    assert before == after
    assert after.overview is not None
    assert after.overview.curve == (-3.0, None)
    with empty_database.session() as session:
        CallRepository(session).delete("A")
    assert _found(empty_database, "budget") == []
