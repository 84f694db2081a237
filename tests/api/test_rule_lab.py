"""The rule lab over HTTP: drafts tried on calls and texts, and how right each rule is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from app.schemas.playbook_models import (
    DraftText,
    NewPlaybook,
    PlaybookList,
    PublishRequest,
    RevisionList,
    RevisionWithText,
)
from app.schemas.rule_report_models import PlaybookReport
from app.schemas.trial_models import TryRequest, TryResult
from tests.api.clients import started
from tests.process.service import tone
from tests.services.playbooks import text_of

AS_YAML = {"Content-Type": "application/yaml"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service with one call, analysed by the published revision of `mine`."""
    with started(tmp_path_factory.mktemp("lab")) as client:
        draft(client, text_of("old", phrase="expensive"))
        revision = client.get("/playbooks/mine/draft").json()["revision"]
        client.post("/playbooks/mine/publish", json={"revision": revision})
        fields = {"call_id": "CALL-1", "playbook": "mine"}
        answer = client.post("/transcribe", files={"audio": ("a.wav", tone())}, data=fields)
        assert answer.status_code == 200, answer.text
        draft(client, text_of("new", phrase="too expensive for us"))
        yield client


def draft(client: TestClient, text: str) -> None:
    assert client.put("/playbooks/mine/draft", content=text, headers=AS_YAML).status_code == 200


def try_it(client: TestClient, name: str = "mine", **body: Any) -> Any:
    return client.post(f"/playbooks/{name}/try", json=body)


@pytest.mark.parametrize("calls", [["CALL-1"], {"limit": 1}, {"since": "2020-01-01T00:00:00Z"}])
def test_a_draft_is_tried_on_stored_calls(client: TestClient, calls: Any) -> None:
    answer = try_it(client, calls=calls)
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert (result["playbook"], result["calls"], result["skipped"], result["not_tried"]) == ("mine", 1, [], 0)
    assert result["draft"] == client.get("/playbooks/mine/draft").json()["revision"]
    assert result["current"] == client.get("/playbooks/mine").json()["revision"]
    (hit,) = result["hits"]["items"]
    assert (hit["call_id"], hit["segment"], hit["rule"], hit["type"]) == ("CALL-1", 0, "new", "buying_signal")
    evidence = hit["evidence"]
    assert evidence["text"] == "too expensive for us"
    assert 0 <= evidence["start_time"] < evidence["end_time"]
    assert (result["only_in_draft"]["count"], result["only_in_current"]["count"]) == (0, 0)
    assert result["rules"] == [
        {"rule": "new", "draft": 1, "current": 0},
        {"rule": "old", "draft": 0, "current": 1},
    ]


def test_a_text_that_is_sent_along_is_tried_on_pasted_lines(client: TestClient) -> None:
    text = text_of("sent", phrase="cheap")
    pasted = "Agent: It is cheap.\nCustomer: Cheap? It is expensive.\nCustomer: How cheap?"
    result = try_it(client, yaml=text, text=pasted).json()
    found = [(hit["segment"], hit["role"], hit["evidence"]["text"]) for hit in result["hits"]["items"]]
    assert found == [(1, "customer", "Cheap"), (2, "customer", "cheap")]
    hit = result["hits"]["items"][0]
    assert (hit["call_id"], hit["evidence"]["start_time"], hit["evidence"]["end_time"]) == (None, None, None)
    assert [hit["segment"] for hit in result["only_in_draft"]["items"]] == [2]
    assert result["only_in_current"]["items"] == []  # both found a buying signal in segment 1
    assert client.get("/playbooks/mine/draft").json()["yaml"] != text


def test_segments_are_tried_as_for_analyze(client: TestClient) -> None:
    segments = [{"role": "customer", "text": "It is expensive", "start_time": 5, "end_time": 8}]
    result = try_it(client, segments=segments).json()
    (lost,) = result["only_in_current"]["items"]
    assert lost["evidence"]["text"] == "expensive"
    assert 5 <= lost["evidence"]["start_time"] < 8
    other = try_it(client, segments=segments, language="de").json()
    assert (other["hits"]["count"], other["only_in_current"]["count"]) == (0, 0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"calls": ["A"], "text": "x"}, "body"),
        ({"calls": []}, "calls"),
        ({"calls": [f"C{number}" for number in range(201)]}, "calls"),
        ({"calls": {"limit": 201}}, "calls"),
        ({"calls": {"since": "yesterday"}}, "calls"),
        ({"text": " \n "}, "text"),
        ({"text": "x\n" * 5001}, "text"),
        ({"segments": [{"text": "a", "start_time": 1}]}, "segments"),
        ({"text": "x", "language": "xx"}, "language"),
        ({"text": "x", "colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_tried_is_told(client: TestClient, body: dict[str, Any], field: str) -> None:
    answer = try_it(client, **body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert any(error["field"].startswith(field) for error in answer.json()["errors"]), answer.text


def test_without_a_draft_or_with_a_broken_one(client: TestClient) -> None:
    missing = try_it(client, "default", text="x")
    assert (missing.status_code, missing.json()["code"]) == (404, "playbook_draft_not_found")
    broken = try_it(client, yaml="name: [", text="x")
    assert (broken.status_code, broken.json()["code"]) == (422, "playbook_invalid")
    new = try_it(client, "other", yaml=text_of("first", "other", "cheap"), text="Customer: cheap").json()
    assert (new["current"], new["hits"]["count"], new["only_in_draft"]["count"]) == (None, 1, 1)


def test_verdicts_make_the_precision_of_a_rule(client: TestClient) -> None:
    assert client.get("/playbooks/mine/report").json()["rules"] == []
    (moment,) = client.get("/calls/CALL-1").json()["moments"]
    path = f"/calls/CALL-1/moments/{moment['id']}/review"
    client.post(path, json={"verdict": "other", "type": "objection", "subtype": "price"})
    report = client.get("/playbooks/mine/report").json()
    current = client.get("/playbooks/mine").json()["revision"]
    (rule,) = report["rules"]
    assert rule == {
        "rule": "old",
        "reviewed": 1,
        "right": 0,
        "wrong": 0,
        "other": 1,
        "precision": 0.0,
        "precision_low": 0.0,
        "precision_high": 0.7935,
        "instead": {"objection/price": 1},
    }
    assert report["revisions"] == [{**rule, "revision": current, "is_current": True}]
    client.post(path, json={"verdict": "right"})
    (rule,) = client.get("/playbooks/mine/report").json()["rules"]
    assert (rule["precision"], rule["precision_low"], rule["precision_high"]) == (1.0, 0.2065, 1.0)
    unknown = client.get("/playbooks/nobody/report")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "playbook_not_found")


@pytest.mark.parametrize(
    "model",
    [
        DraftText,
        NewPlaybook,
        PublishRequest,
        PlaybookList,
        RevisionList,
        RevisionWithText,
        TryRequest,
        TryResult,
        PlaybookReport,
    ],
)
def test_the_examples_of_openapi_are_what_they_say(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    examples = schema.get("examples") or [schema["example"]]
    for example in examples:
        model.model_validate(example)
