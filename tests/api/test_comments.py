"""Comments over HTTP: what is taken, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.clients import services_of, started
from tests.db.values import completed

PATH = "/calls/CALL-1/comments"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with started(tmp_path_factory.mktemp("comments")) as client:
        completed(services_of(client).database, "CALL-1", 0)
        yield client


def test_a_comment_is_made_listed_changed_and_deleted(client: TestClient) -> None:
    made = client.post(PATH, json={"time_seconds": 6.4, "text": " Ask\r\nfirst. ", "author": "Robin"})
    assert made.status_code == 201, made.text
    comment = made.json()
    assert (comment["time_seconds"], comment["text"], comment["author"]) == (6.4, "Ask\nfirst.", "Robin")
    assert client.get(PATH).json() == {"items": [comment]}
    changed = client.patch(f"{PATH}/{comment['id']}", json={"author": None, "time_seconds": 7})
    assert changed.status_code == 200, changed.text
    told = changed.json()
    assert (told["time_seconds"], told["text"], told["author"]) == (7, "Ask\nfirst.", None)
    assert client.delete(f"{PATH}/{comment['id']}").status_code == 204
    assert client.get(PATH).json() == {"items": []}
    gone = client.delete(f"{PATH}/{comment['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "comment_not_found")


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("text", {"time_seconds": 1, "text": " "}),
        ("text", {"time_seconds": 1, "text": "a\x00b"}),
        ("text", {"time_seconds": 1, "text": "x" * 2001}),
        ("text", {"time_seconds": 1}),
        ("time_seconds", {"time_seconds": 1000, "text": "x"}),
        ("time_seconds", {"time_seconds": -1, "text": "x"}),
        ("time_seconds", {"time_seconds": "nan", "text": "x"}),
        ("author", {"time_seconds": 1, "text": "x", "author": "two\nlines"}),
        ("author", {"time_seconds": 1, "text": "x", "author": "x" * 129}),
        ("colour", {"time_seconds": 1, "text": "x", "colour": "red"}),
    ],
)
def test_what_is_no_comment_is_refused(client: TestClient, field: str, body: dict[str, Any]) -> None:
    refused = client.post(PATH, json=body)
    assert refused.status_code == 422, refused.text
    assert field in [error["field"].removeprefix("body.") for error in refused.json()["errors"]]


def test_a_change_of_nothing_is_refused(client: TestClient) -> None:
    assert client.patch(f"{PATH}/c_1", json={}).status_code == 422
    assert client.patch(f"{PATH}/c_1", json={"text": "x"}).status_code == 404
