"""Transcripts, tables and the AWS shape, over HTTP."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import StringIO

import pytest

from tests.process.service import Service, running, tone

SAID = (
    (0.2, 1.4, "how can i help you today"),
    (2.0, 3.2, "it is too expensive for our budget"),
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("exports")
    words = [
        {"text": word, "start": start + at * 0.2, "end": start + at * 0.2 + 0.15}
        for start, _, text in SAID
        for at, word in enumerate(text.split())
    ]
    (folder / "transcript.json").write_text(json.dumps({"language": "en", "words": words}))
    with running(folder, diarization_provider="pauses") as service:
        assert service.transcribe(tone(4), call_id="CALL-1", agent_id="=cmd|' /C calc'!A0").status_code == 422
        assert service.transcribe(tone(4), call_id="CALL-1", agent_id="-7").status_code == 200
        yield service


@pytest.mark.parametrize(
    ("path", "accept", "media_type", "begins"),
    [
        ("", None, "application/json", "{"),
        ("?format=json", "text/vtt", "application/json", "{"),
        ("?format=txt", None, "text/plain", "[00:00] Agent: how can i help you today\n"),
        ("", "text/plain", "text/plain", "[00:00] Agent:"),
        ("?format=srt", None, "application/x-subrip", "1\n00:00:00,200 --> "),
        ("", "application/x-subrip", "application/x-subrip", "1\n"),
        ("?format=vtt", None, "text/vtt", "WEBVTT\n"),
        ("", "text/vtt", "text/vtt", "WEBVTT\n"),
        ("", "image/png", "application/json", "{"),
    ],
)
def test_a_transcript_by_format_or_by_accept(
    service: Service, path: str, accept: str | None, media_type: str, begins: str
) -> None:
    headers = {"Accept": accept} if accept else {}
    answer = service.get(f"/calls/CALL-1/transcript{path}", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == media_type
    assert answer.text.startswith(begins), answer.text[:80]
    assert "expensive" in answer.text


def test_speaker_names_stand_in_the_subtitles(service: Service) -> None:
    import httpx

    named = httpx.patch(
        f"{service.url}/calls/CALL-1/speakers", json={"speakers": {"speaker_1": {"name": "Ada <b>"}}}
    )
    assert named.status_code == 200
    assert "<v Ada &lt;b&gt;>it is too" in service.get("/calls/CALL-1/transcript?format=vtt").text


def test_tables_of_calls_and_moments(service: Service) -> None:
    calls = service.get("/calls.csv?agent_id=-7")
    assert calls.headers["content-type"].startswith("text/csv")
    assert "calls.csv" in calls.headers["content-disposition"]
    (row,) = csv.DictReader(StringIO(calls.text, newline=""))
    assert (row["call_id"], row["agent_id"], row["objection"]) == ("CALL-1", "'-7", "1")
    assert float(row["share_of_speech"]) > 0
    (moment,) = [
        row
        for row in csv.DictReader(StringIO(service.get("/moments.csv").text, newline=""))
        if row["type"] == "objection"
    ]
    assert moment["evidence"] == "too expensive"
    assert len(service.get("/calls.csv?agent_id=nobody").text.splitlines()) == 1


def test_the_shape_of_aws_call_analytics(service: Service) -> None:
    document = service.get("/calls/CALL-1?format=aws").json()
    assert document["JobStatus"] == "COMPLETED"
    assert [(t["ParticipantRole"], t["BeginOffsetMillis"]) for t in document["Transcript"]] == [
        ("AGENT", 200),
        ("CUSTOMER", 2000),
    ]
    assert document["ConversationCharacteristics"]["TotalConversationDurationMillis"] == 4000
    assert "objection" in str(document["Categories"]["MatchedCategories"])


def test_metrics_by_themselves_and_in_the_result(service: Service) -> None:
    metrics = service.get("/calls/CALL-1/metrics").json()
    assert metrics == service.get("/calls/CALL-1").json()["metrics"]
    talk_s = sum(party["talk_s"] for party in metrics["parties"])
    assert talk_s - metrics["overlap_s"] + metrics["silence_s"] == pytest.approx(metrics["duration_s"])


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/calls/NOBODY/metrics", 404, "call_not_found"),
        ("/calls/NOBODY/transcript", 404, "call_not_found"),
        ("/calls/NOBODY?format=aws", 404, "call_not_found"),
        ("/calls/CALL-1/transcript?format=doc", 422, "validation_error"),
        ("/calls/CALL-1?format=gcp", 422, "validation_error"),
        ("/calls.csv?status=odd", 422, "validation_error"),
        ("/calls.csv?limit=5", 422, "validation_error"),
    ],
)
def test_what_cannot_be_given_is_a_named_problem(service: Service, path: str, status: int, code: str) -> None:
    answer = service.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
