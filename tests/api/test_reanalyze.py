"""POST /calls/{id}/reanalyze, and the playbook of POST /analyze: what is asked for and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from app.db.repositories.retention import RetentionRepository
from tests.api.clients import services_of, started
from tests.db.values import T0, at, completed
from tests.playbooks import HEARD, write_playbooks
from tests.process.service import wait_until
from tests.services.webhooks.calls import fail


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("reanalyze")
    with started(folder, playbook_dir=write_playbooks(folder / "playbooks")) as client:
        yield client


def reanalyze(client: TestClient, call_id: str, **body: Any) -> httpx.Response:
    answer: httpx.Response = client.post(f"/calls/{call_id}/reanalyze", json=body)
    return answer


def judged(client: TestClient, call_id: str) -> dict[str, Any]:
    """The call once nobody works on it."""
    wait_until(lambda: client.get(f"/calls/{call_id}").json()["percent"] == 100, f"{call_id} to be judged")
    call: dict[str, Any] = client.get(f"/calls/{call_id}").json()
    return call


def test_a_call_without_a_recording_is_judged_by_another_playbook(client: TestClient) -> None:
    completed(services_of(client).database, "CALL-1", 0, ("hesitation",), audio_key=None)
    before = client.get("/calls/CALL-1").json()
    answer = reanalyze(client, "CALL-1", playbook="strict")
    assert (answer.status_code, answer.headers["Location"]) == (202, "/calls/CALL-1"), answer.text
    assert answer.json()["call_id"] == "CALL-1"
    after = judged(client, "CALL-1")
    assert (after["status"], after["error"]) == ("completed", None)
    assert after["playbook"]["name"] == "strict"
    assert after["transcript"] == before["transcript"]
    assert after["speakers"] == before["speakers"]
    assert after["segments"][0]["words"] == before["segments"][0]["words"]
    assert after["engines"]["stt"] == before["engines"]["stt"]
    assert after["moments"] != before["moments"]


def test_without_a_body_the_call_is_judged_by_its_own_playbook(client: TestClient) -> None:
    completed(services_of(client).database, "CALL-2", 0)
    assert client.post("/calls/CALL-2/reanalyze").status_code == 202
    assert judged(client, "CALL-2")["playbook"]["name"] == "default"


def test_what_cannot_be_judged_again(client: TestClient) -> None:
    database = services_of(client).database
    completed(database, "WORDLESS", 0)
    with database.session() as session:
        RetentionRepository(session).delete_texts(at(1), at(2), 99)
    fail(database, "FAILED", T0)
    completed(database, "CALL-3", 5)
    for call_id, body, status, code in (
        ("NOBODY", {}, 404, "call_not_found"),
        ("FAILED", {}, 409, "call_not_ready"),
        ("WORDLESS", {}, 410, "text_deleted"),
        ("CALL-3", {"playbook": "nowhere"}, 422, "unknown_playbook"),
        ("CALL-3", {"playbook": "strict", "revision": "r0"}, 422, "unknown_playbook"),
        ("CALL-3", {"playbook": "No Name!"}, 422, "validation_error"),
        ("CALL-3", {"name": "strict"}, 422, "validation_error"),
    ):
        answer = reanalyze(client, call_id, **body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert client.get("/calls/CALL-3").json()["status"] == "completed"


def test_a_transcript_is_analysed_by_the_playbook_that_is_named(client: TestClient) -> None:
    body = {"segments": [{"role": "customer", "text": HEARD}], "playbook": "strict"}
    found = client.post("/analyze", json=body).json()
    assert found["playbook"]["name"] == "strict"
    assert {moment["rule"] for moment in found["moments"]} == {"strict_price", "strict_confusion"}
    refused = client.post("/analyze", json={**body, "playbook": "nowhere"})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_playbook")
