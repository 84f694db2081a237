"""Calls in numbers follow whatever result is the current one, and are made for calls of before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, text

from app.db.figure_models import CallFigureRow
from app.db.migrate import downgrade, migrate
from app.db.models import table_of
from app.db.repositories.calls import CallRepository
from app.db.repositories.figures import FigureRepository
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.coaching import Window
from app.schemas.figures import MeasuredCall
from app.schemas.speaker import NameSpeaker
from tests.db.values import T0, at, completed, plain_analysis, stored
from tests.services.coaching.random_calls import random_call

WINDOW = Window(at(-3600), at(3600))


def read(database: Database, window: Window = WINDOW, team_id: str | None = None) -> list[MeasuredCall]:
    with database.snapshot() as session:
        return list(FigureRepository(session).read(window, team_id))


def rows(database: Database) -> list[tuple[object, ...]]:
    table = table_of(CallFigureRow)
    with database.snapshot() as session:
        return [tuple(row) for row in session.execute(select(table).order_by(table.c.call_id))]


def kinds(database: Database) -> dict[str, dict[str, int]]:
    return {call.call_id: call.figures.moments for call in read(database)}


def test_they_follow_the_call_to_another_agent(database: Database) -> None:
    stored(database, "A", 5, agent_id="ana", team_id="emea", started_at=None)
    stored(database, "B", 6, agent_id="ana", team_id="emea", started_at=None)
    with database.session() as session:
        for call_id in ("A", "B"):
            ResultRepository(session).add(call_id, plain_analysis(call_id, ("objection",)), T0)
        assert CallRepository(session).assign("A", {"agent_id": "ben", "team_id": None})
        FigureRepository(session).assign("A")
        assert not CallRepository(session).assign("NOWHERE", {"agent_id": "ben"})
    told = {call.call_id: (call.agent_id, call.team_id) for call in read(database)}
    assert told == {"A": ("ben", None), "B": ("ana", "emea")}


def test_they_follow_the_current_result(database: Database) -> None:
    stored(database, "A", 5, agent_id="ana", team_id=None, started_at=None)
    assert read(database) == []
    with database.session() as session:
        ResultRepository(session).add("A", plain_analysis("A", ("objection",)), T0)
    (call,) = read(database)
    assert (call.call_id, call.agent_id, call.team_id, call.held_at) == ("A", "ana", None, at(5))
    assert call.figures.moments == {"objection": 1}
    with database.session() as session:
        ResultRepository(session).add("A", plain_analysis("A", ("empathy", "hesitation")), T0)
    assert kinds(database) == {"A": {"empathy": 1, "hesitation": 1}}
    with database.session() as session:
        results = ResultRepository(session)
        editable = results.editable("A")
        assert editable is not None
        edited = plain_analysis("A", ("confusion",))
        results.replace_edited("A", editable.id, (NameSpeaker("speaker_0", "Ada"),), edited, T0)
    assert kinds(database) == {"A": {"confusion": 1}}
    with database.session() as session:
        ResultRepository(session).replace_edited("A", editable.id, (), None, T0)
    assert kinds(database) == {"A": {"empathy": 1, "hesitation": 1}}
    with database.session() as session:
        CallRepository(session).delete("A")
    assert rows(database) == []


def test_a_window_holds_both_ends_and_a_call_counts_when_it_began(database: Database) -> None:
    for call_id, seconds, team in (("A", 0, "x"), ("B", 10, "y"), ("C", 20, "x")):
        completed(database, call_id, 500 - seconds, team_id=team, started_at=at(seconds))
    assert [call.call_id for call in read(database)] == ["A", "B", "C"]
    assert [call.call_id for call in read(database, Window(at(0), at(10)))] == ["A", "B"]
    hair = timedelta(microseconds=1)
    assert [call.call_id for call in read(database, Window(at(0) + hair, at(20) - hair))] == ["B"]
    assert [call.call_id for call in read(database, team_id="x")] == ["A", "C"]


def test_an_unknown_agent_or_team_is_told_from_one_without_results(database: Database) -> None:
    stored(database, "A", agent_id="ana", team_id="x")
    with database.snapshot() as session:
        figures = FigureRepository(session)
        assert figures.beside_team("ana", WINDOW, None) == ((), ())
        assert figures.beside_team("nobody", WINDOW, None) is None
        assert figures.of_team("x", WINDOW) == ((), ())
        assert figures.of_team("z", WINDOW) is None


def test_the_migration_makes_them_for_calls_that_are_there(database: Database) -> None:
    for number in range(6):
        call_id = f"CALL-{number}"
        stored(database, call_id, number, started_at=None if number % 2 else at(-60 * number))
        with database.session() as session:
            results = ResultRepository(session)
            results.add(call_id, random_call(100 + number), T0)
            results.add(call_id, random_call(number), T0)
    completed(database, "PLAIN", 10, ("objection",))
    stored(database, "WAITING", 11)
    with database.session() as session:
        unmeasured = replace(random_call(7), metrics=None)
        ResultRepository(session).add("PLAIN", unmeasured, T0)
    before = rows(database)
    assert len(before) == 7
    with database.session() as session:  # as though nobody had ever counted them
        session.execute(text("DELETE FROM call_figures"))
    # SQLite writes times as text: the same one either way.
    downgrade(database, "0011")
    migrate(database)
    assert rows(database) == before
