"""Search over HTTP: what a line carries, what is refused, and that no log says what was searched for."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.core.logging import JsonFormatter
from tests.api.clients import services_of, started
from tests.db.values import completed, stored


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with started(tmp_path_factory.mktemp("search")) as client:
        completed(services_of(client).database, "CALL-1", 0, ("objection",))
        completed(services_of(client).database, "CALL-2", 1)
        yield client


def test_a_line_carries_its_match(client: TestClient) -> None:
    first, second = client.get("/calls", params={"q": '"too exp'}).json()["items"]
    assert (first["call_id"], second["call_id"]) == ("CALL-2", "CALL-1")
    assert second["match"] == {
        "segment": 0,
        "start_time": 0.0,
        "speaker": "speaker_0",
        "role": "customer",
        "text": "It is too expensive.",
        "marks": [[6, 19]],
    }
    assert (second["stage"], second["percent"], second["queue_position"]) == (None, 100.0, None)


def test_a_blank_query_is_none_and_one_without_words_finds_nothing(client: TestClient) -> None:
    assert len(client.get("/calls?q=").json()["items"]) == 2
    assert len(client.get("/calls?q=%20").json()["items"]) == 2
    assert client.get("/calls", params={"q": '"'}).json()["items"] == []
    assert all(line["match"] is None for line in client.get("/calls?q=").json()["items"])


@pytest.mark.parametrize(
    "query",
    [
        {"q": "x" * 201},
        {"min_duration_s": "-1"},
        {"max_duration_s": "long"},
        {"direction": "up"},
        {"date_from": "0001-01-01T00:00:00+14:00"},
        {"date_to": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_what_is_no_filter_is_named(client: TestClient, query: dict[str, str]) -> None:
    answer = client.get("/calls", params=query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == list(query)


def test_tables_are_narrowed_too(client: TestClient) -> None:
    assert len(client.get("/calls.csv", params={"q": "expensive"}).text.splitlines()) == 3
    assert (
        len(
            client.get(
                "/moments.csv", params={"q": "expensive", "moment_type": "objection"}
            ).text.splitlines()
        )
        == 2
    )
    assert len(client.get("/calls.csv", params={"q": "cheap"}).text.splitlines()) == 1


def test_a_call_that_waits_says_its_place(client: TestClient) -> None:
    database = services_of(client).database
    stored(database, "CALL-3", 10, queue="bulk")
    (line,) = client.get("/calls", params={"date_from": "2026-02-21T09:30:20Z"}).json()["items"]
    assert line["status"] in ("queued", "processing")
    assert line["percent"] < 100
    assert line["sentiment"] is line["share_of_speech"] is line["match"] is None


def test_no_log_says_what_was_searched_for(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        client.get("/calls", params={"q": "Zwetschgenpelikan"})
        client.get("/calls", params={"q": "Zwetschgenpelikan" * 20})
    lines = [JsonFormatter().format(record) for record in caplog.records if record.name.startswith("app")]
    assert any('"route": "/calls"' in line for line in lines)
    assert not any("zwetschgen" in line.lower() for line in lines)
