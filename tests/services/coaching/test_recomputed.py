"""Figures of 100 drawn calls, and what is made of them, equal what their stored rows say by another way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from statistics import mean, median
from typing import Any

import pytest

from app.db.repositories.figures import FigureRepository
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.coaching import Bucket, Window
from app.schemas.figures import MeasuredCall
from app.services.coaching_service import CoachingService
from tests.db.databases import sqlite_database
from tests.db.values import T0, stored
from tests.services.coaching.random_calls import random_call
from tests.services.coaching.recomputed import recomputed

CALLS = 100
AGENTS = ("ana", "ben", "cem", "dia")
MEDIANS = ("share_of_speech", "patience_s", "longest_monologue_s", "sentiment_shift")
WINDOW = Window(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC))


def call_id(number: int) -> str:
    return f"CALL-{number:03}"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with sqlite_database(tmp_path_factory.mktemp("coaching")) as database:
        for number in range(CALLS):
            agent = AGENTS[number * number % 7 % 4]
            held_at = T0 + timedelta(hours=9 * number)
            team = "north" if agent in AGENTS[:2] else "south"
            stored(database, call_id(number), agent_id=agent, team_id=team, started_at=held_at)
            with database.session() as session:
                ResultRepository(session).add(call_id(number), random_call(number), T0)
        yield database


@pytest.fixture(scope="module")
def plain(database: Database) -> dict[str, dict[str, Any]]:
    with database.snapshot() as session:
        return {call_id(number): recomputed(session, call_id(number)) for number in range(CALLS)}


def read(database: Database) -> tuple[MeasuredCall, ...]:
    with database.snapshot() as session:
        return FigureRepository(session).read(WINDOW)


def test_the_figures_of_every_call(database: Database, plain: dict[str, dict[str, Any]]) -> None:
    calls = read(database)
    assert [call.call_id for call in calls] == list(plain)
    for call in calls:
        expected = {**plain[call.call_id], "objections": ()}
        assert asdict(call.figures) == expected, call.call_id
    # What is compared is there: every figure of most calls, and some of each sign.
    for name in (*MEDIANS, "agent_interruptions"):
        assert sum(value[name] is not None for value in plain.values()) > CALLS / 2
    assert sum(value["agent_interruptions"] for value in plain.values()) > 20


def test_an_agent_beside_the_team(database: Database, plain: dict[str, dict[str, Any]]) -> None:
    calls = [call for call in read(database) if call.team_id == "north"]
    course = CoachingService(database).agent("ana", WINDOW, Bucket.WEEK, "north")
    assert (asdict(course.figures), asdict(course.team)) == beside(calls, plain)
    assert course.team_agents == 2
    by_week = [
        ([call for call in calls if period.start <= call.held_at < period.end], period)
        for period in course.periods
    ]
    assert sum(len(held) for held, _ in by_week) == len(calls)
    for held, period in by_week:
        assert (asdict(period.figures), asdict(period.team)) == beside(held, plain)


def test_what_follows_objections(database: Database, plain: dict[str, dict[str, Any]]) -> None:
    course = CoachingService(database).agent("ana", WINDOW)
    own = [call.call_id for call in read(database) if call.agent_id == "ana"]
    objections = [objection for name in own for objection in plain[name]["objections"]]
    assert sum(each.count for each in course.objections) == len(objections) > 20
    for pattern in course.objections:
        those = [each for each in objections if each[0] == pattern.subtype]
        assert pattern.count == len(those) == sum(pattern.followed_by.values())
        first = [following[0] if following else "nothing" for _, following, _, _ in those]
        assert pattern.followed_by == {kind: first.count(kind) for kind in first}
        kinds = {kind for _, following, _, _ in those for kind in following}
        assert pattern.followed_at_all == {
            kind: sum(kind in following for _, following, _, _ in those) for kind in kinds
        }
        judged = [(before, after) for _, _, before, after in those if None not in (before, after)]
        assert pattern.judged == len(judged)
        if judged:
            assert pattern.sentiment_before == round(mean(before for before, _ in judged), 4)
            assert pattern.sentiment_after == round(mean(after for _, after in judged), 4)


def beside(
    calls: list[MeasuredCall], plain: dict[str, dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ana's figures, and the medians over the agents who have any of these calls."""
    agents = sorted({str(call.agent_id) for call in calls})
    each = {
        agent: together([plain[call.call_id] for call in calls if call.agent_id == agent]) for agent in agents
    }
    return each.get("ana", together([])), middle(list(each.values()))


def together(calls: list[dict[str, Any]]) -> dict[str, Any]:
    known = {name: [call[name] for call in calls if call[name] is not None] for name in MEDIANS}
    kinds = KINDS if calls else ()
    return {
        "calls": len(calls),
        **{name: round(median(values), 4) if values else None for name, values in known.items()},
        "interruptions": round(mean(call["agent_interruptions"] for call in calls), 4) if calls else None,
        "moments_per_call": {
            kind: round(sum(call["moments"].get(kind, 0) for call in calls) / len(calls), 4) for kind in kinds
        },
    }


def middle(agents: list[dict[str, Any]]) -> dict[str, Any]:
    if not agents:
        return together([])
    found: dict[str, Any] = {"calls": median(agent["calls"] for agent in agents)}
    for name in (*MEDIANS, "interruptions"):
        values = [agent[name] for agent in agents if agent[name] is not None]
        found[name] = round(median(values), 4) if values else None
    found["moments_per_call"] = {
        kind: round(median(agent["moments_per_call"][kind] for agent in agents), 4) for kind in KINDS
    }
    return found


KINDS = (
    "buying_signal", "objection", "competitor_mention", "hesitation", "churn_risk", "escalation", "confusion",
    "discovery_question", "next_step", "empathy", "weak_language", "overpromise", "pressure",
    "discount_offer", "monologue", "interruption", "dead_air", "fast_pace", "slow_response",
)  # fmt: skip
