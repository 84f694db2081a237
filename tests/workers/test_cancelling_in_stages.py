"""A call that is cancelled while it is in work, in every stage: it ends there, and writes nothing more."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from tests.process.service import tone, wait_until
from tests.workers.test_deletion_in_stages import STAGES, Saboteur, client, saboteur, services_of, settings

__all__ = ["client", "saboteur", "settings"]


def rows_of(client: TestClient, call_id: str) -> dict[str, list[object]]:
    tables = ("calls", "checkpoints", "results", "webhook_deliveries")
    with services_of(client).database.snapshot() as session:
        return {
            table: [
                tuple(row)
                for row in session.execute(
                    text(f"SELECT * FROM {table} WHERE call_id = :call_id"), {"call_id": call_id}
                )
            ]
            for table in tables
        }


def events_of(client: TestClient, call_id: str) -> list[str]:
    items = client.get(f"/calls/{call_id}/deliveries").json()["items"]
    return [item["event"] for item in items]


@pytest.mark.parametrize("stage", STAGES)
def test_a_call_that_is_cancelled_between_two_stages_ends_there(
    client: TestClient, saboteur: Saboteur, stage: str
) -> None:
    services = services_of(client)
    runner = client.app.state.runtime.runner  # type: ignore[attr-defined]
    rows: dict[str, list[object]] = {}
    audio, call_id = tone(1, 500 + STAGES.index(stage)), f"CALL-{stage}"

    def strike(cancelled: str) -> None:
        services.calls.cancel(cancelled)
        rows.update(rows_of(client, cancelled))

    saboteur.strike, saboteur.stage = strike, stage
    answer = client.post("/transcribe", files={"audio": ("a.wav", audio)}, data={"call_id": call_id})
    assert (answer.status_code, answer.json()["code"]) == (409, "call_cancelled"), answer.text
    wait_until(lambda: not runner.active(), "the work to end")
    assert saboteur.struck == 1
    after = rows_of(client, call_id)
    assert {name: after[name] for name in ("calls", "checkpoints")} == {
        name: rows[name] for name in ("calls", "checkpoints")
    }
    assert after["results"] == []
    assert [path for path in services.scratch.root.rglob("*") if path.is_file()] == []
    assert events_of(client, call_id) == ["call.cancelled"]
    # It can be begun again, and what was heard of it is of use.
    again = client.post("/transcribe", files={"audio": ("a.wav", audio)}, data={"call_id": call_id})
    assert (again.status_code, again.json()["status"]) == (200, "completed")
    assert events_of(client, call_id) == ["call.completed", "call.cancelled"]
