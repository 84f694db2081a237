"""Lists of calls: what is in them, in which order, and pages that neither skip nor repeat."""

from __future__ import annotations

import random
import threading
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, insert

from app.core.exceptions import ValidationFailed
from app.db.models import CallRow, table_of
from app.db.repositories.call_pages import MAX_PAGE
from app.db.repositories.call_records import queued_values
from app.db.repositories.calls import CallRepository
from app.db.repositories.claims import ClaimRepository
from app.db.repositories.cursors import decode_cursor, encode_cursor
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.analysis import CallStatus
from app.schemas.call import CallFilter, CallSummary
from app.schemas.overview import Overview
from tests.db.values import FAILURE, T0, analysis, at, completed, new_call, plain_analysis, stored, taken


def _page(
    database: Database, limit: int = 50, cursor: str | None = None, **filters: Any
) -> tuple[tuple[CallSummary, ...], str | None]:
    with database.snapshot() as session:
        return CallRepository(session).page(CallFilter(**filters), limit, cursor)


def _ids(database: Database, **filters: Any) -> list[str]:
    return [summary.call.call_id for summary in _page(database, **filters)[0]]


def _read_all(database: Database, limit: int, **filters: Any) -> list[str]:
    ids, cursor = list[str](), None
    while True:
        page, cursor = _page(database, limit, cursor, **filters)
        assert len(page) <= limit
        ids.extend(summary.call.call_id for summary in page)
        if cursor is None:
            return ids


def test_no_calls(database: Database) -> None:
    assert _page(database) == ((), None)


def test_a_line_says_what_was_found(database: Database) -> None:
    completed(database, "A", 0, ("objection", "objection", "hesitation"))
    stored(database, "B", 1)
    (queued, done), cursor = _page(database)
    assert cursor is None
    assert (queued.call.call_id, queued.language, queued.degraded, queued.moments) == ("B", None, False, {})
    assert (done.call.status, done.language, done.degraded) == (CallStatus.COMPLETED, "en", True)
    assert done.moments == {"objection": 2, "hesitation": 1}
    with database.snapshot() as session:
        assert done.call == CallRepository(session).get("A")


def test_only_the_current_result_counts(database: Database) -> None:
    completed(database, "A", 0, ("objection",))
    with database.session() as session:
        ResultRepository(session).add("A", plain_analysis("A", ("hesitation",)), at(9))
    assert _page(database)[0][0].moments == {"hesitation": 1}
    assert _ids(database, moment_type="objection") == []
    assert _ids(database, moment_type="hesitation") == ["A"]


def test_newest_first_and_ties_by_id(database: Database) -> None:
    for call_id, seconds in (("b", 5), ("C", 9), ("a", 5), ("B", 5), ("d", 1)):
        stored(database, call_id, seconds)
    assert _ids(database) == ["C", "b", "a", "B", "d"]
    for limit in range(1, 7):
        assert _read_all(database, limit) == ["C", "b", "a", "B", "d"]


def test_filters_narrow_the_list(database: Database) -> None:
    completed(database, "A", 0, ("objection",), agent_id="x", customer_id="u")
    completed(database, "B", 10, ("hesitation", "objection"), agent_id="y", team_id="t", customer_id="u")
    stored(database, "C", 20, agent_id="x", customer_id=None)
    stored(database, "D", 30, agent_id="x", customer_id="v")
    claim = taken(database, "D", at(30))
    with database.session() as session:
        ClaimRepository(session).fail(claim, FAILURE, at(31))
    assert _ids(database) == ["D", "C", "B", "A"]
    assert _ids(database, agent_id="x") == ["D", "C", "A"]
    assert _ids(database, team_id="t") == ["B"]
    assert _ids(database, customer_id="u") == ["B", "A"]
    assert _ids(database, status=CallStatus.COMPLETED) == ["B", "A"]
    assert _ids(database, status=CallStatus.FAILED) == ["D"]
    assert _ids(database, moment_type="objection") == ["B", "A"]
    assert _ids(database, moment_type="hesitation") == ["B"]
    assert _ids(database, moment_type="empathy") == []
    assert _ids(database, date_from=at(10)) == ["D", "C", "B"]
    assert _ids(database, date_to=at(10)) == ["B", "A"]
    assert _ids(database, date_from=at(10), date_to=at(20)) == ["C", "B"]
    assert _ids(database, agent_id="x", moment_type="objection") == ["A"]
    assert _ids(database, agent_id="") == []
    assert _read_all(database, 1, agent_id="x") == ["D", "C", "A"]


def test_a_line_says_how_it_went_and_how_far_the_work_is(database: Database) -> None:
    completed(database, "A", 0)
    with database.session() as session:
        ResultRepository(session).add("A", analysis("A"), at(1))
    for number, call_id in enumerate(("B", "C", "D")):
        stored(database, call_id, 10 + number)
    claim = taken(database, "B", at(20))
    with database.session() as session:
        ClaimRepository(session).enter_stage(claim, "transcribe", 12.5, at(21))
    waits, next_one, in_work, done = _page(database)[0]
    assert [line.queue_position for line in (waits, next_one, in_work, done)] == [2, 1, None, None]
    assert (in_work.call.stage, in_work.call.percent, in_work.overview) == ("transcribe", 12.5, None)
    assert done.overview == Overview.of(analysis("A"))


def test_lists_are_narrowed_by_length_and_direction(database: Database) -> None:
    completed(database, "A", 0, direction="outbound")
    completed(database, "B", 10, direction="inbound")
    stored(database, "C", 20, direction="outbound")
    length_s = analysis().duration_s
    assert _ids(database, direction="outbound") == ["C", "A"]
    assert _ids(database, min_duration_s=length_s) == ["B", "A"]
    assert _ids(database, max_duration_s=length_s) == ["B", "A"]
    assert _ids(database, min_duration_s=length_s + 1) == []
    assert _ids(database, max_duration_s=length_s - 1) == []


def test_a_page_costs_the_same_whatever_is_on_it(database: Database) -> None:
    counts = []
    for size in (2, 12):
        for number in range(size):
            completed(database, f"{size}-{number}", number, ("objection", "empathy"))
        statements = list[str]()

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if statement.startswith("SELECT"):
                statements.append(statement)  # noqa: B023 - removed before the next round

        event.listen(database.engine, "before_cursor_execute", note)
        _page(database)
        event.remove(database.engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts == [2, 2]


@pytest.mark.parametrize("limit", [-1, 0, MAX_PAGE + 1])
def test_a_page_has_1_to_200_lines(database: Database, limit: int) -> None:
    with pytest.raises(ValidationFailed) as caught:
        _page(database, limit)
    assert caught.value.errors[0]["field"] == "limit"


def _encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "!!!!",
        "größe",
        "\x00",
        "A" * 100_001,
        _encoded("x:CALL-001"),
        _encoded(":CALL-001"),
        _encoded(f"{10**30}:CALL-001"),
        _encoded(f"-{10**30}:CALL-001"),
        _encoded("1_000:CALL-001"),
        _encoded("1"),
        _encoded("9" * 5000 + ":x"),
        urlsafe_b64encode(b"1:\xff\xfe").decode(),
        encode_cursor(T0, "CALL-001") + "=",
        encode_cursor(T0, "CALL-001")[:-1],
        encode_cursor(T0, "CALL-001") + "!",
    ],
)
def test_a_bad_cursor_is_named(database: Database, cursor: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        _page(database, 10, cursor)
    assert caught.value.errors[0]["field"] == "cursor"


@given(
    micros=st.integers(min_value=-(10**15), max_value=10**16),
    call_id=st.from_regex(r"[A-Za-z0-9._:-]{1,128}", fullmatch=True),
)
def test_a_cursor_says_a_place_and_fits_into_a_url(micros: int, call_id: str) -> None:
    place = at(0) + (at(0.000001) - at(0)) * micros
    cursor = encode_cursor(place, call_id)
    assert decode_cursor(cursor) == (place, call_id)
    assert cursor.replace("-", "").replace("_", "").isalnum()


def test_pages_under_inserts_neither_skip_nor_repeat(database: Database) -> None:
    """10,000 calls, many with the same time, read in pages while others keep arriving and some go."""
    ids = _insert_many(database, 10_000)
    reading, arrived, gone = threading.Event(), list[str](), set[str]()
    doomed = random.Random(90).sample(ids, 200)
    done = threading.Event()

    def disturb() -> None:
        reading.wait()
        for number in range(200):
            if done.is_set():
                return
            stored(database, f"late-{number}", 1_000_000 + number)
            arrived.append(f"late-{number}")
            gone.add(doomed[number])
            with database.session() as session:
                assert CallRepository(session).delete(doomed[number]) is not None

    writer = threading.Thread(target=disturb)
    writer.start()
    seen, cursor = list[str](), None
    while True:
        page, cursor = _page(database, MAX_PAGE, cursor)
        seen.extend(summary.call.call_id for summary in page)
        reading.set()
        if cursor is None:
            break
    done.set()
    writer.join()
    assert arrived
    order = {call_id: place for place, call_id in enumerate([*reversed(arrived), *ids])}
    assert len(seen) == len(set(seen))
    assert set(ids) - gone <= set(seen) <= {*ids, *arrived}
    assert seen == sorted(seen, key=order.__getitem__)


def _insert_many(database: Database, count: int) -> list[str]:
    """Calls of which every seven share their time; returns the ids, newest first."""
    ids = [f"{number:05}" for number in range(count)]
    rows = [
        {"call_id": call_id, "token": 0, **queued_values(new_call(call_id), at(number // 7))}
        for number, call_id in enumerate(ids)
    ]
    with database.session() as session:
        session.connection().execute(insert(table_of(CallRow)), rows)
    return ids[::-1]
