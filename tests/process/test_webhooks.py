"""Webhooks of a running service, from registering one to a message that survives a kill."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from tests.process.service import Service, running, start, tone, wait_until, write_script
from tests.services.webhooks.receiver import Received, receiving

WORDS = "the planted pelican phrase"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ALLOWED = {"webhook_allowed_hosts": "127.0.0.1"}


def _patch(service: Service, path: str, **body: Any) -> httpx.Response:
    return httpx.patch(f"{service.url}{path}", json=body, timeout=30)


def _deliveries(service: Service, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = service.get(f"{path}/deliveries").json()["items"]
    return items


def _code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_webhooks_from_registering_to_deleting(tmp_path: Path) -> None:
    write_script(tmp_path, WORDS)
    with receiving() as receiver, running(tmp_path, webhook_secret=SECRET, **ALLOWED) as service:
        created = service.post("/webhooks", json={"url": receiver.url(), "description": "CRM"})
        assert created.status_code == 201, created.text
        assert created.headers["cache-control"] == "no-store"
        path, first = created.headers["location"], created.json()["secret"]
        shown = service.get(path).json()
        assert shown == {key: value for key, value in created.json().items() if key != "secret"}
        assert service.get("/webhooks").json() == {"items": [shown]}
        assert shown["events"] == [
            "call.completed", "call.completed_with_warnings", "call.failed", "call.cancelled",
        ]  # fmt: skip

        rotated = service.post(f"{path}/rotate").json()
        assert rotated["secret"] != first
        assert rotated["previous_secret_until"]
        answer = service.transcribe(tone(), call_id="CALL-1", agent_id="agent-7", webhook_url=receiver.url())
        assert answer.status_code == 200, answer.text
        wait_until(lambda: len(receiver.received) == 2, "both messages")
        received = {item.id: item for item in receiver.received}
        wait_until(lambda: _deliveries(service, path)[0]["status"] == "delivered", "the mark")
        (delivery,) = _deliveries(service, path)
        message = received.pop(delivery["id"])
        for secret in (first, rotated["secret"]):
            told = Webhook(secret).verify(message.body, message.headers)
        assert told["type"] == f"call.{answer.json()['status']}"
        assert told["data"] == {
            "call_id": "CALL-1",
            "status": answer.json()["status"],
            "code": None,
            "agent_id": "agent-7",
        }
        (own,) = received.values()
        assert Webhook(SECRET).verify(own.body, own.headers)["data"]["call_id"] == "CALL-1"
        assert {item["webhook_id"] for item in _deliveries(service, "/calls/CALL-1")} == {shown["id"], None}

        for path_of in (path, "/calls/CALL-1"):
            again = service.post(f"{path_of}/deliveries/{delivery['id']}/redeliver")
            assert (again.status_code, again.json()["id"]) == (202, delivery["id"])
            wait_until(lambda: _deliveries(service, path)[0]["status"] == "delivered", "the second mark")
        assert _patch(service, path, enabled=False).json()["enabled"] is False
        _errors(service, path, delivery["id"])
        assert service.delete("/calls/CALL-1").status_code == 204
        assert _deliveries(service, path)[0]["call_id"] is None
        assert service.delete(path).status_code == 204
        assert _code(service.delete(path)) == (404, "webhook_not_found")
        log = (tmp_path / "service.log").read_text()
    for secret in (first, rotated["secret"], SECRET, WORDS, receiver.url()):
        assert secret not in log
    told_text = json.dumps([item.body.decode() for item in receiver.received])
    assert not any(word in told_text for word in WORDS.split()[1:])


def _errors(service: Service, path: str, delivery: str) -> None:
    redeliver = f"{path}/deliveries/{delivery}/redeliver"
    assert _code(service.post(redeliver)) == (409, "webhook_disabled")
    assert _code(service.post(f"{path}/deliveries/msg_x/redeliver")) == (404, "delivery_not_found")
    assert _code(service.get("/webhooks/wh_x")) == (404, "webhook_not_found")
    assert _code(service.get("/webhooks/wh_x/deliveries")) == (404, "webhook_not_found")
    assert _code(service.get("/calls/nowhere/deliveries")) == (404, "call_not_found")
    assert _code(service.get(f"{path}/deliveries?cursor=x")) == (422, "validation_error")
    assert _code(_patch(service, path)) == (422, "validation_error")
    assert _code(_patch(service, path, secret="x")) == (422, "validation_error")
    assert _code(_patch(service, path, url="http://10.0.0.1/")) == (422, "webhook_url_refused")
    for url in ("http://169.254.169.254/", "https://localhost/", "https://[::1]/", "x"):
        refused = service.post("/webhooks", json={"url": url})
        assert _code(refused) == (422, "webhook_url_refused")
        assert refused.json()["errors"][0]["field"] == "url"
    bad = service.post("/webhooks", json={"url": "https://8.8.8.8/", "events": ["call.started"]})
    assert _code(bad) == (422, "validation_error")


@pytest.mark.parametrize(
    ("settings", "url", "code"),
    [
        ({}, "https://8.8.8.8/", "webhook_secret_missing"),
        ({"webhook_secret": SECRET}, "http://127.0.0.1:9/", "webhook_url_refused"),
    ],
)
def test_a_call_that_names_an_address_that_cannot_be_told_is_refused(
    tmp_path: Path, settings: dict[str, str], url: str, code: str
) -> None:
    write_script(tmp_path)
    with running(tmp_path, **settings) as service:
        assert _code(service.transcribe(tone(), webhook_url=url)) == (422, code)
        assert service.stored_files() == []
        assert service.get("/calls").json()["items"] == []


def test_a_service_that_is_killed_between_send_and_mark_sends_again_with_the_same_id(tmp_path: Path) -> None:
    write_script(tmp_path)
    with receiving() as receiver:
        service = start(tmp_path, **ALLOWED)
        path = service.post("/webhooks", json={"url": receiver.url()}).headers["location"]

        def kill(_: Received) -> None:
            os.kill(service.process.pid, signal.SIGKILL)

        receiver.on_request = kill
        with suppress(httpx.TransportError):  # it may be killed before it has answered
            service.transcribe(tone(), call_id="CALL-1")
        service.process.wait(30)
        receiver.on_request = lambda _: None
        with running(tmp_path, **ALLOWED) as again:
            wait_until(lambda: _deliveries(again, path)[0]["status"] == "delivered", "the second sending")
            (delivery,) = _deliveries(again, path)
            assert len(receiver.received) == 2
            assert {received.id for received in receiver.received} == {delivery["id"]}
