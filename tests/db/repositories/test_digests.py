"""Calls without their words: the same findings as in the whole analysis, many at a time."""

from __future__ import annotations

from sqlalchemy import event

from app.db.repositories.calls import CallRepository
from app.db.repositories.claims import ClaimRepository
from app.db.repositories.digests import read_digests
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.call import CallFilter
from app.schemas.digest import CallDigest
from app.services.metrics_service import measure
from tests.db.values import analysis, at, stored, taken


def _finished(database: Database, call_id: str, seconds: float) -> None:
    stored(database, call_id, seconds)
    found = analysis(call_id)
    claim = taken(database, call_id, at(seconds))
    with database.session() as session:
        measured = analysis(call_id, metrics=measure(found.conversation))
        assert ClaimRepository(session).complete(claim, measured, at(seconds + 1), keep_heard=False)


def _digests(database: Database) -> tuple[CallDigest, ...]:
    with database.snapshot() as session:
        page, _ = CallRepository(session).page(CallFilter(), 200, None)
        return read_digests(session, [summary.call for summary in page])


def test_a_digest_holds_what_the_analysis_holds(database: Database) -> None:
    _finished(database, "A", 0)
    stored(database, "B", 10)
    waiting, done = _digests(database)
    assert waiting == CallDigest(waiting.call)
    with database.snapshot() as session:
        whole = ResultRepository(session).current("A")
    assert whole is not None
    assert whole.metrics is not None
    assert done == CallDigest(
        done.call,
        whole.language,
        whole.degraded,
        whole.engines,
        whole.speakers,
        whole.metrics,
        whole.moments,
    )
    assert [call.call.call_id for call in (waiting, done)] == ["B", "A"]


def test_the_number_of_queries_does_not_grow_with_the_calls(database: Database) -> None:
    counts = []
    for number in range(3):
        _finished(database, f"A{number}", number)
        queries: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_: object, seen: list[str] = queries) -> None:
            seen.append(statement)

        event.listen(database.engine, "before_cursor_execute", note)
        assert len(_digests(database)) == number + 1
        event.remove(database.engine, "before_cursor_execute", note)
        counts.append(len([query for query in queries if query.startswith("SELECT")]))
    assert len(set(counts)) == 1
