"""Calls made for measurements are like those that the service stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import text

from app.db.repositories.calls import CallRepository
from app.db.session import Database
from app.schemas.call import CallFilter, CallSummary
from bench.stored_calls import DURATION_S, TEMPLATES, TenMinuteCalls, fill
from tests.db.databases import postgres_database, sqlite_database

COPIES = 3


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            database = stack.enter_context(sqlite_database(tmp_path_factory.mktemp("db")))
        else:
            database = stack.enter_context(postgres_database())
        fill(database, TEMPLATES * COPIES, searchable=True)
        yield database


def pages(database: Database, filters: CallFilter) -> list[CallSummary]:
    found: list[CallSummary] = []
    cursor = None
    while True:
        with database.snapshot() as session:
            page, cursor = CallRepository(session).page(filters, 40, cursor)
        found += page
        if cursor is None:
            return found


def test_a_call_of_ten_minutes_has_what_ten_minutes_hold() -> None:
    analysis = TenMinuteCalls().make(7)
    words = sum(len(part.segment.words) for part in analysis.segments)
    assert 1_200 < words < 1_800
    assert 550 < analysis.segments[-1].segment.end_s <= DURATION_S == analysis.duration_s
    assert {speaker.role for speaker in analysis.speakers} == {"agent", "customer"}
    assert analysis.moments
    assert analysis.metrics is not None


def test_copies_are_listed_as_the_calls_that_they_are_of(filled: Database) -> None:
    listed = pages(filled, CallFilter())
    assert len({item.call.call_id for item in listed}) == TEMPLATES * COPIES
    times = [item.call.created_at for item in listed]
    assert times == sorted(times, reverse=True)
    by_customer = {}
    for item in listed:
        assert item.call.status == "completed"
        assert item.language == "en"
        by_customer.setdefault(item.call.customer_id, set()).add(tuple(sorted(item.moments.items())))
    assert len(by_customer) == TEMPLATES
    assert all(len(kinds) == 1 and kinds != {()} for kinds in by_customer.values())


def test_filters_find_their_share(filled: Database) -> None:
    assert len(pages(filled, CallFilter(agent_id="agent-7"))) == 3 * COPIES
    with_risk = pages(filled, CallFilter(moment_type="churn_risk"))
    assert 0 < len(with_risk) < TEMPLATES * COPIES
    assert all(item.moments["churn_risk"] for item in with_risk)


def test_nobody_works_on_them(filled: Database) -> None:
    with filled.snapshot() as session:
        busy = "SELECT count(*) FROM calls WHERE coalesce(queue, owner) IS NOT NULL"
        assert session.execute(text(busy)).scalar() == 0


def test_each_copy_is_found_by_its_number(filled: Database) -> None:
    (found,) = pages(filled, CallFilter(q=f"ticket{TEMPLATES + 7} "))
    assert found.call.customer_id == "customer-7"
    assert found.overview is not None
    assert len(found.overview.curve) == 24
    assert len(pages(filled, CallFilter(q="price"))) > TEMPLATES
