"""Verdicts over HTTP: passed, replaced, shown with their moments, listed, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from app.db.repositories.retention import RetentionRepository
from tests.api.clients import services_of, started
from tests.db.values import at, completed, stored

MOMENT = "m_00000000000000000000"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with started(tmp_path_factory.mktemp("reviews")) as client:
        yield client


@pytest.fixture
def moment(client: TestClient, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """A moment of a call that there is for one test."""
    completed(services_of(client).database, "CALL-1", 0, ("hesitation", "confusion"))
    first: dict[str, Any] = client.get("/calls/CALL-1").json()["moments"][0]
    yield first
    client.delete("/calls/CALL-1")


def review(client: TestClient, moment_id: str, call_id: str = "CALL-1", **body: Any) -> httpx.Response:
    answer: httpx.Response = client.post(f"/calls/{call_id}/moments/{moment_id}/review", json=body)
    return answer


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_moment_shows_its_verdict_wherever_it_stands(client: TestClient, moment: dict[str, Any]) -> None:
    assert moment["review"] is None
    assert review(client, moment["id"], verdict="wrong", note=" small talk ").status_code == 201
    shown = client.get("/calls/CALL-1").json()
    both = [shown["moments"][0], shown["segments"][0]["moments"][0]]
    assert [found["id"] for found in both] == [moment["id"]] * 2
    assert both[0]["review"] == both[1]["review"]
    verdict = both[0]["review"]
    assert (verdict["verdict"], verdict["note"], verdict["type"]) == ("wrong", "small talk", None)
    assert [other["review"] for other in shown["moments"][1:]] == [None]


def test_a_second_verdict_takes_the_place_of_the_first(client: TestClient, moment: dict[str, Any]) -> None:
    review(client, moment["id"], verdict="wrong", note="small talk")
    answer = review(client, moment["id"], verdict="other", type="objection", subtype="timing")
    assert answer.status_code == 200, answer.text
    (listed,) = client.get("/calls/CALL-1/reviews").json()["items"]
    assert listed == answer.json()
    told = {name: listed[name] for name in ("verdict", "type", "subtype", "note", "moment_id", "found")}
    assert told == {
        "verdict": "other",
        "type": "objection",
        "subtype": "timing",
        "note": None,
        "moment_id": moment["id"],
        "found": True,
    }
    assert listed["moment"]["type"] == moment["type"]
    assert (listed["moment"]["playbook"], listed["moment"]["revision"]) == ("default", "abc123")
    assert listed["moment"]["evidence"] == moment["evidence"]["text"]


def test_a_verdict_is_taken_back_once(client: TestClient, moment: dict[str, Any]) -> None:
    review(client, moment["id"], verdict="right")
    path = f"/calls/CALL-1/moments/{moment['id']}/review"
    assert client.delete(path).status_code == 204
    assert code(client.delete(path)) == (404, "review_not_found")
    assert client.get("/calls/CALL-1/reviews").json() == {"items": []}
    assert client.get("/calls/CALL-1").json()["moments"][0]["review"] is None


def test_what_there_is_not_is_404(client: TestClient, moment: dict[str, Any]) -> None:
    assert code(review(client, MOMENT, verdict="right")) == (404, "moment_not_found")
    assert code(review(client, moment["id"], "NOBODY", verdict="right")) == (404, "call_not_found")
    assert code(client.delete(f"/calls/NOBODY/moments/{MOMENT}/review")) == (404, "call_not_found")
    assert code(client.get("/calls/NOBODY/reviews")) == (404, "call_not_found")


def test_a_call_without_a_result_or_without_words_takes_no_verdict(client: TestClient) -> None:
    database = services_of(client).database
    stored(database, "QUEUED")
    assert code(review(client, MOMENT, "QUEUED", verdict="right")) == (409, "call_not_ready")
    completed(database, "WORDLESS", 0, ("hesitation",))
    with database.session() as session:
        RetentionRepository(session).delete_texts(at(1), at(2), 10)
    (left,) = client.get("/calls/WORDLESS").json()["moments"]
    assert code(review(client, left["id"], "WORDLESS", verdict="right")) == (410, "text_deleted")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "verdict"),
        ({"verdict": "maybe"}, "verdict"),
        ({"verdict": "right", "type": "hesitation"}, "type"),
        ({"verdict": "other"}, "type"),
        ({"verdict": "other", "type": "boredom"}, "type"),
        ({"verdict": "other", "type": "objection"}, "subtype"),
        ({"verdict": "other", "type": "hesitation", "subtype": "price"}, "subtype"),
        ({"verdict": "other", "type": "objection", "subtype": "colour"}, "subtype"),
        ({"verdict": "right", "note": "x" * 2001}, "note"),
        ({"verdict": "right", "rating": 5}, "rating"),
        ({"verdict": "other", "type": "hesitation"}, "type"),
    ],
)
def test_a_wrong_field_is_named(
    client: TestClient, moment: dict[str, Any], body: dict[str, Any], field: str
) -> None:
    assert moment["type"] == "hesitation"
    answer = review(client, moment["id"], **body)
    assert code(answer) == (422, "validation_error"), answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert client.get("/calls/CALL-1/reviews").json() == {"items": []}
