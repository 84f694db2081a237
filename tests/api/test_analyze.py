"""POST /analyze: the stages that need words alone, on a transcript that somebody brings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.api.examples import ANALYZE_RESULT
from app.api.middleware import JSON_BODY_LIMIT
from app.db.models import Base
from app.db.repositories.retention import RetentionRepository
from app.schemas.analyze_models import LONGEST_TEXT, MOST_SEGMENTS, MOST_SPEAKERS, AnalyzeResult
from app.workers.word_run import AT_ONCE
from tests.api.clients import services_of, started
from tests.db.values import T0, at, completed
from tests.services.webhooks.calls import fail

HELLO = {"speaker": "Dana", "text": "Thanks for calling Northwind, how can I help you today?"}
PRICE = {"speaker": "Sam", "text": "That is too expensive for us."}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with started(tmp_path_factory.mktemp("analyze")) as client:
        yield client


def analyze(client: TestClient, *segments: dict[str, Any], **more: Any) -> httpx.Response:
    answer: httpx.Response = client.post("/analyze", json={"segments": segments, **more})
    return answer


def found(client: TestClient, *segments: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = analyze(client, *segments, **more)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def timed(segment: dict[str, Any], start_time: float, end_time: float) -> dict[str, Any]:
    return {**segment, "start_time": start_time, "end_time": end_time}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def count_rows(client: TestClient) -> int:
    with services_of(client).database.snapshot() as session:
        return sum(
            session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in Base.metadata.tables
        )


def test_a_transcript_without_times(client: TestClient) -> None:
    before = count_rows(client)
    result = found(client, {**HELLO, "role": "agent"}, {**PRICE, "role": "customer"})
    hello, price = result["segments"]
    assert (hello["speaker"], hello["role"], hello["text"]) == ("Dana", "agent", HELLO["text"])
    assert (price["sentiment"], price["is_coachable"], price["coachable_type"]) == (
        "NEGATIVE",
        True,
        "objection",
    )
    assert sum(price["sentiment_probabilities"].values()) == pytest.approx(1, abs=0.001)
    assert price["sentiment_probabilities"]["negative"] == price["sentiment_score"]
    (moment,) = price["moments"]
    assert (moment["type"], moment["subtype"], moment["segment"], moment["speaker"]) == (
        "objection",
        "price",
        1,
        "Sam",
    )
    evidence = moment["evidence"]
    assert price["text"][evidence["start_char"] : evidence["end_char"]] == evidence["text"]
    assert moment["why"] and moment["tip"] and moment["rule"] and moment["source"] == "rule"
    assert moment in result["moments"]
    times = [price["start_time"], price["end_time"], evidence["start_time"], evidence["end_time"]]
    assert [*times, result["duration_seconds"], result["metrics"]] == [None] * 6
    assert price["words"] == []
    assert result["playbook"]["name"] == "default"
    assert count_rows(client) == before


def test_a_transcript_with_times_is_measured(client: TestClient) -> None:
    result = found(client, timed(HELLO, 0, 3), timed(PRICE, 12.5, 14))
    assert result["duration_seconds"] == 14
    assert result["metrics"]["non_talk"][0]["start_s"] == 3
    assert [word["estimated"] for word in result["segments"][1]["words"]] == [True] * 6
    assert result["segments"][1]["words"][0]["start_time"] == 12.5
    assert "dead_air" in {moment["type"] for moment in result["moments"]}


def test_roles_are_found_where_none_is_given(client: TestClient) -> None:
    result = found(client, HELLO, {**PRICE, "role": None})
    assert [(speaker["id"], speaker["role"], speaker["role_source"]) for speaker in result["speakers"]] == [
        ("Dana", "agent", "words"),
        ("Sam", "customer", "words"),
    ]


def test_a_language_that_the_engine_does_not_speak_is_not_judged(client: TestClient) -> None:
    result = found(client, {"role": "customer", "text": "es ist mir zu teuer"}, language="DE")
    assert (result["language"], result["segments"][0]["sentiment_score"]) == ("de", None)
    assert result["segments"][0]["sentiment_probabilities"] is None
    assert "unsupported_language" in {warning["code"] for warning in result["warnings"]}


@pytest.mark.parametrize(
    ("segments", "more", "field"),
    [
        ([], {}, "segments"),
        ([{}], {}, "segments.0.text"),
        ([{"text": " \n"}], {}, "segments.0.text"),
        ([{"text": "x" * (LONGEST_TEXT + 1)}], {}, "segments.0.text"),
        ([{"text": "x"}] * (MOST_SEGMENTS + 1), {}, "segments"),
        ([{"text": "x", "speaker": f"s{number}"} for number in range(MOST_SPEAKERS + 1)], {}, "segments"),
        ([{"text": "x", "speaker": "a\tb"}], {}, "segments.0.speaker"),
        ([{"text": "x", "role": "boss"}], {}, "segments.0.role"),
        ([{"text": "x", "start_time": -1, "end_time": 1}], {}, "segments.0.start_time"),
        ([{"text": "x", "start_time": 0, "end_time": 1e9}], {}, "segments.0.end_time"),
        ([{"text": "x", "start_time": 3, "end_time": 1}], {}, "segments.0.end_time"),
        ([{"text": "x"}, timed({"text": "x"}, 1, 2)], {}, "segments.0.start_time"),
        ([{"text": "x"}], {"language": "english"}, "language"),
        ([{"text": "x"}], {"call_id": "a b"}, "call_id"),
        ([{"text": "x", "mood": "bad"}], {}, "segments.0.mood"),
        ([{"text": "x"}], {"audio": "x"}, "audio"),
    ],
)
def test_a_wrong_field_is_named(
    client: TestClient, segments: list[dict[str, Any]], more: dict[str, Any], field: str
) -> None:
    answer = analyze(client, *segments, **more)
    assert code(answer) == (422, "validation_error"), answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_body_that_is_too_large_is_refused(client: TestClient) -> None:
    answer = analyze(client, *[{"text": "x" * LONGEST_TEXT}] * (JSON_BODY_LIMIT // LONGEST_TEXT + 1))
    assert code(answer) == (413, "upload_too_large")


def test_more_than_there_are_places_for_are_told_to_wait(client: TestClient) -> None:
    places = client.app.state.runtime.words._places  # type: ignore[attr-defined]
    for _ in range(AT_ONCE):
        places.acquire()
    answer = analyze(client, PRICE)
    for _ in range(AT_ONCE):
        places.release()
    assert code(answer) == (503, "busy")
    assert answer.headers["Retry-After"] == "2"
    assert analyze(client, PRICE).status_code == 200


def test_it_becomes_the_result_of_the_call_that_is_named(client: TestClient) -> None:
    database = services_of(client).database
    completed(database, "CALL-1", 0, ("hesitation",))
    before = client.get("/calls/CALL-1").json()
    assert before["duration_seconds"] > 14
    result = found(client, timed(HELLO, 0, 3), timed(PRICE, 12.5, 14), call_id="CALL-1")
    assert (result["call_id"], result["duration_seconds"]) == ("CALL-1", before["duration_seconds"])
    after = client.get("/calls/CALL-1").json()
    assert (after["status"], after["engines"]) == ("completed", result["engines"])
    assert after["transcript"] == f"{HELLO['text']} {PRICE['text']}"
    assert after["moments"] == result["moments"]
    assert after["metrics"] == result["metrics"]
    right = client.patch("/calls/CALL-1/speakers", json={"speakers": {"Dana": {"role": "customer"}}})
    assert right.status_code == 200, right.text
    assert right.json()["speakers"][0]["role_source"] == "manual"
    moment = after["moments"][-1]["id"]
    assert client.post(f"/calls/CALL-1/moments/{moment}/review", json={"verdict": "right"}).status_code in (
        200,
        201,
    )
    with database.snapshot() as session:
        versions = session.execute(text("SELECT count(*) FROM results WHERE call_id = 'CALL-1'")).scalar_one()
    assert versions == 3


def test_a_call_that_failed_is_complete_with_a_transcript_that_is_brought(client: TestClient) -> None:
    fail(services_of(client).database, "FAILED", T0)
    assert client.get("/calls/FAILED").json()["status"] == "failed"
    found(client, timed(PRICE, 0, 2), call_id="FAILED")
    after = client.get("/calls/FAILED").json()
    assert (after["status"], after["percent"], after["error"]) == ("completed", 100, None)
    assert after["transcript"] == PRICE["text"]


def test_a_call_that_takes_no_result(client: TestClient) -> None:
    database = services_of(client).database
    price = timed(PRICE, 0, 2)
    assert code(analyze(client, price, call_id="NOBODY")) == (404, "call_not_found")
    completed(database, "UNTIMED", 0)
    answer = analyze(client, PRICE, call_id="UNTIMED")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "segments.0.start_time")
    with database.session() as session:
        RetentionRepository(session).delete_texts(at(1), at(2), 99)
    assert code(analyze(client, price, call_id="UNTIMED")) == (410, "text_deleted")


def test_the_example_has_the_shape_of_an_answer() -> None:
    assert (
        AnalyzeResult.model_validate(ANALYZE_RESULT).model_dump(mode="json").keys() == ANALYZE_RESULT.keys()
    )
