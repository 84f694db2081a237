"""What the list does, without scripts and with them: uploads, the demo call, trying again, deleting."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.schemas.analysis import CallStatus
from tests.api.clients import started
from tests.process.service import tone
from tests.web.clients import FORM, KEY, SCRIPT, services_of, signed_in
from tests.web.test_calls_page import FAILURE, lines_of, store

ENDS_WITHIN_S = 60


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An application that analyses what it gets, signed in to by its page."""
    with started(tmp_path_factory.mktemp("actions"), api_keys=(KEY,)) as client:
        client.follow_redirects = False
        client.headers.update(FORM)
        yield client


def wait_for_end(client: TestClient, call_id: str) -> str:
    until = time.monotonic() + ENDS_WITHIN_S
    while (status := services_of(client).calls.record(call_id).status) in ("queued", "processing"):
        assert time.monotonic() < until, status
        time.sleep(0.05)
    return status


def test_a_form_without_scripts_hands_in_a_recording(working: TestClient) -> None:
    token = signed_in(working)
    form = {"csrf_token": token, "agent_id": "emily", "customer_id": ""}
    answer = working.post("/ui/calls", data=form, files={"audio": ('Zoë\'s "call".wav', tone(), "audio/wav")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    call_id = lines_of(working.get("/").text)[0]
    assert wait_for_end(working, call_id) == CallStatus.COMPLETED
    record = services_of(working).calls.record(call_id)
    assert (record.agent_id, record.customer_id) == ("emily", None)
    assert record.file_name == 'Zoë\'s "call".wav'
    for address in ("/", f"/ui/calls/{call_id}"):
        assert "Zoë&#39;s &#34;call&#34;.wav" in working.get(address).text


def test_agents_may_be_mail_addresses_and_customers_telephone_numbers(working: TestClient) -> None:
    agent, customer = "anna@acme.example", "+491701234567"
    form = {"csrf_token": signed_in(working), "agent_id": agent, "team_id": "a+b", "customer_id": customer}
    working.post("/ui/calls", data=form, files={"audio": ("a.wav", tone(pitch=900), "audio/wav")})
    (call_id,) = lines_of(working.get("/", params={"customer_id": customer}).text)
    assert wait_for_end(working, call_id) == CallStatus.COMPLETED
    assert working.get(f"/agents/{agent}").json()["agent_id"] == agent
    assert agent in working.get("/ui/agents/anna%40acme.example").text
    assert working.get("/teams/a%2Bb").json()["summary"]["team_id"] == "a+b"
    assert working.get(f"/calls?customer_id={customer}").status_code == 422  # it is a blank in a query


def test_a_call_is_given_to_another_agent(working: TestClient) -> None:
    token = signed_in(working)
    form = {"csrf_token": token, "agent_id": "old", "team_id": "emea", "customer_id": "cust-1"}
    working.post("/ui/calls", data=form, files={"audio": ("a.wav", tone(pitch=1100), "audio/wav")})
    (call_id,) = lines_of(working.get("/?agent_id=old").text)
    assert wait_for_end(working, call_id) == CallStatus.COMPLETED
    question = working.get(f"/ui/calls/{call_id}/parties").text
    assert 'name="agent_id" value="old"' in question
    form = {"csrf_token": token, "agent_id": "new", "team_id": "", "customer_id": "cust-1"}
    assert working.post(f"/ui/calls/{call_id}/parties", data=form).status_code == 303
    record = services_of(working).calls.record(call_id)
    assert (record.agent_id, record.team_id, record.customer_id) == ("new", None, "cust-1")
    assert working.get("/agents/new").json()["figures"]["calls"] == 1
    assert working.get("/agents/old").status_code == 404
    refused = working.post(f"/ui/calls/{call_id}/parties", data={**form, "agent_id": "a b"})
    assert refused.status_code == 422
    assert working.post("/ui/calls/NOWHERE/parties", data=form).status_code == 404


def test_metadata_that_a_form_brings_stay_as_they_are(working: TestClient) -> None:
    form = {"csrf_token": signed_in(working), "metadata": '{"campaign": "spring"}'}
    working.post("/ui/calls", data=form, files={"audio": ("a.wav", tone(pitch=700), "audio/wav")})
    call_id = lines_of(working.get("/").text)[0]
    wait_for_end(working, call_id)
    assert services_of(working).calls.record(call_id).metadata == {"campaign": "spring"}


def test_a_script_hands_in_one_and_learns_its_id(working: TestClient) -> None:
    headers = {"X-CSRF-Token": signed_in(working), "Accept": "application/json"}
    files = {"audio": ("a.wav", tone(pitch=500), "audio/wav")}
    answer = working.post("/ui/calls", files=files, headers=headers)
    assert answer.status_code == 202
    wait_for_end(working, answer.json()["call_id"])


def test_what_is_no_recording_is_refused_in_words(working: TestClient) -> None:
    token = signed_in(working)
    page = working.post(
        "/ui/calls", data={"csrf_token": token}, files={"audio": ("a.zip", b"PK\x03\x04" * 99)}
    )
    assert page.status_code == 415
    assert "unsupported_media" in page.text
    headers = {"X-CSRF-Token": token, "Accept": "application/json"}
    problem = working.post("/ui/calls", files={"audio": ("a.mp3", b"")}, headers=headers)
    assert problem.json()["code"] == "empty_audio"
    unknown = working.post("/ui/calls", data={"x": "1"}, files={"audio": ("a.wav", tone())}, headers=headers)
    assert unknown.json()["code"] == "validation_error"


def test_the_demo_call_comes_in_once(working: TestClient) -> None:
    token = signed_in(working)
    for _ in range(2):
        answer = working.post("/ui/demo", data={"csrf_token": token})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert wait_for_end(working, "DEMO-001") == CallStatus.COMPLETED
    assert lines_of(working.get("/").text).count("DEMO-001") == 1
    record = services_of(working).calls.record("DEMO-001")
    assert (record.agent_id, record.customer_id, record.options.language) == ("daniel", "maria", "en")
    assert record.attempts == 1


def test_a_failed_call_is_tried_again_in_its_line(open_app: TestClient) -> None:
    store(open_app, "AGAIN", 1, **FAILURE)
    answer = open_app.post("/ui/calls/AGAIN/rerun", headers=SCRIPT)
    assert lines_of(answer.text) == ["AGAIN"]
    assert "number 1 in the queue" in answer.text
    assert services_of(open_app).calls.record("AGAIN").status is CallStatus.QUEUED
    twice = open_app.post("/ui/calls/AGAIN/rerun", headers=SCRIPT)
    assert (twice.status_code, "call_unfinished" in twice.text) == (409, True)
    cancelled = open_app.post("/ui/calls/AGAIN/cancel", data={"next": "/?agent_id=emily"})
    assert (cancelled.status_code, cancelled.headers["location"]) == (303, "/?agent_id=emily")
    assert "Cancelled" in open_app.get("/ui/calls/AGAIN/line").text


def test_a_call_is_deleted_after_a_question(open_app: TestClient) -> None:
    store(open_app, "GONE", 2)
    page = open_app.get("/ui/calls/GONE/delete?next=/%3Fagent_id%3Demily")
    assert "<html" in page.text
    assert 'href="/?agent_id=emily"' in page.text
    dialog = open_app.get("/ui/calls/GONE/delete?next=//evil.example", headers=SCRIPT)
    assert "<html" not in dialog.text
    assert "evil.example" not in dialog.text
    assert 'method="post" action="/ui/calls/GONE/delete"' in dialog.text
    assert open_app.get("/calls/GONE").status_code == 200
    answer = open_app.post("/ui/calls/GONE/delete", data={"next": "/?agent_id=emily"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?agent_id=emily")
    assert open_app.get("/calls/GONE").status_code == 404
    assert open_app.get("/ui/calls/GONE/delete").status_code == 404


def test_after_a_deletion_the_page_of_the_call_is_not_returned_to(open_app: TestClient) -> None:
    store(open_app, "GONE-2", 2)
    answer = open_app.post("/ui/calls/GONE-2/delete", data={"next": "/ui/calls/GONE-2"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_held_call_is_not(open_app: TestClient) -> None:
    store(open_app, "KEPT", 3, legal_hold=True)
    page = open_app.get("/ui/calls/KEPT/delete")
    assert "legal hold" in page.text
    assert not re.search(r"<button[^>]*button--danger", page.text)
    answer = open_app.post("/ui/calls/KEPT/delete")
    assert (answer.status_code, "legal_hold" in answer.text) == (409, True)
    assert open_app.get("/calls/KEPT").status_code == 200


def test_the_demo_call_is_offered_only_where_it_is(
    open_app: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("app.web.calls.call_actions.DEMO_CALL", tmp_path / "none.mp3")
    answer = open_app.post("/ui/demo")
    assert answer.status_code == 404
