"""What is told of a call is written with its end: all of it or nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from app.db.repositories.calls import CallRepository
from app.db.repositories.claims import ClaimRepository
from app.db.session import Database
from app.schemas.analysis import CallStatus
from app.schemas.webhook import EndpointChange, WebhookEvent
from tests.db.values import FAILURE, analysis
from tests.services.webhooks.calls import FakeClock, Webhooks, begin, complete, fail, rows

URL = "https://public.example/hooks"
NOW = datetime(2026, 2, 21, 10, 0, 6, 123456, tzinfo=UTC)


def _webhooks(database: Database) -> Webhooks:
    return Webhooks(database, FakeClock())


def test_a_completed_call_leaves_a_message_of_ids_and_states_alone(database: Database) -> None:
    endpoint = _webhooks(database).register(URL)
    complete(database, "CALL-001", NOW, metadata={"customer_name": "Emily Brown"})
    (row,) = rows(database)
    assert json.loads(row["payload"]) == {
        "type": "call.completed",
        "timestamp": "2026-02-21T10:00:06.123Z",
        "data": {"call_id": "CALL-001", "status": "completed", "code": None, "agent_id": "agent-1"},
    }
    assert (row["endpoint_id"], row["url"], row["status"]) == (endpoint.id, None, "pending")
    assert row["id"].startswith("msg_")


def test_a_failed_call_says_its_code(database: Database) -> None:
    _webhooks(database).register(URL)
    fail(database, "CALL-001", NOW)
    message = json.loads(rows(database)[0]["payload"])
    assert message["type"] == "call.failed"
    assert message["data"]["code"] == FAILURE.code
    assert FAILURE.detail not in rows(database)[0]["payload"]


def test_a_call_with_warnings_has_its_own_event(database: Database) -> None:
    _webhooks(database).register(URL)
    claim = begin(database, "CALL-001", NOW)
    partial = analysis(failed_stages=("diarization",))
    with database.session() as session:
        ClaimRepository(session).complete(claim, partial, NOW, keep_heard=False)
    assert [row["event"] for row in rows(database)] == ["call.completed_with_warnings"]


@pytest.mark.parametrize("status", [status for status in CallStatus if status.is_final])
def test_each_final_state_is_an_event(status: CallStatus) -> None:
    assert WebhookEvent.of(status) == f"call.{status}"


def test_the_largest_message_is_far_under_20_kb(database: Database) -> None:
    _webhooks(database).register(URL)
    complete(database, "C" * 128, NOW, agent_id="A" * 128)
    assert len(rows(database)[0]["payload"]) < 1024


def test_only_enabled_endpoints_that_want_the_event_are_told(database: Database) -> None:
    webhooks = _webhooks(database)
    wanting = webhooks.register(URL, WebhookEvent.COMPLETED)
    webhooks.register(URL, WebhookEvent.FAILED, WebhookEvent.CANCELLED)
    disabled = webhooks.register(URL)
    webhooks.service.change(disabled.id, EndpointChange(enabled=False))
    complete(database, "CALL-001", NOW)
    assert [row["endpoint_id"] for row in rows(database)] == [wanting.id]


def test_the_address_that_a_call_names_is_told_beside_them(database: Database) -> None:
    endpoint = _webhooks(database).register(URL)
    complete(database, "CALL-001", NOW, webhook_url="https://own.example/x?key=1")
    found = sorted(rows(database), key=lambda row: row["url"] or "")
    assert [(row["endpoint_id"], row["url"]) for row in found] == [
        (endpoint.id, None),
        (None, "https://own.example/x?key=1"),
    ]
    assert found[0]["id"] != found[1]["id"]


def test_nothing_is_told_while_a_call_is_in_work_or_where_nobody_listens(database: Database) -> None:
    complete(database, "CALL-001", NOW)
    assert rows(database) == []
    _webhooks(database).register(URL)
    begin(database, "CALL-002", NOW)
    assert rows(database) == []


def test_a_transaction_that_fails_leaves_neither_the_end_nor_the_message(database: Database) -> None:
    _webhooks(database).register(URL)
    claim = begin(database, "CALL-001", NOW)
    with pytest.raises(RuntimeError, match="power cut"), database.session() as session:
        assert ClaimRepository(session).complete(claim, analysis(), NOW, keep_heard=False)
        raise RuntimeError("power cut")
    assert rows(database) == []


def test_an_end_that_another_process_wrote_first_is_told_once(database: Database) -> None:
    _webhooks(database).register(URL)
    claim = begin(database, "CALL-001", NOW)
    with database.session() as session:
        assert ClaimRepository(session).complete(claim, analysis(), NOW, keep_heard=False)
    with database.session() as session:
        assert not ClaimRepository(session).fail(claim, FAILURE, NOW)
    assert len(rows(database)) == 1


def test_a_lost_call_that_is_given_up_is_told(database: Database) -> None:
    _webhooks(database).register(URL)
    begin(database, "CALL-001", NOW)
    with database.session() as session:
        (lost,) = ClaimRepository(session).expired(NOW, 0)
        assert ClaimRepository(session).give_up(lost, FAILURE, NOW)
    assert [row["event"] for row in rows(database)] == ["call.failed"]


def test_deleting_a_call_removes_what_messages_hold_of_it(database: Database) -> None:
    _webhooks(database).register(URL)
    complete(database, "CALL-001", NOW, webhook_url="https://own.example/x")
    complete(database, "CALL-002", NOW)
    with database.session() as session:
        CallRepository(session).delete("CALL-001")
    left = {row["status"]: row for row in rows(database)}
    assert set(left) == {"withdrawn", "pending"}
    assert "CALL-001" not in json.dumps(rows(database), default=str)
    assert "own.example" not in json.dumps(rows(database), default=str)
    assert left["withdrawn"]["payload"] is None
    assert left["pending"]["call_id"] == "CALL-002"
