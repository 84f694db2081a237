"""Calls that are handed in and read later: once each, whatever the network does in between."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.process.service import Service, running, tone, write_script

SLOW = [{"do": "sleep", "seconds": 60}]


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def code(answer: httpx.Response) -> tuple[int, str]:
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:darwix:problem:{problem['code']}"
    return answer.status_code, problem["code"]


def test_a_call_is_answered_before_it_is_worked_on_and_then_shows_how_far_it_is(tmp_path: Path) -> None:
    write_script(tmp_path, faults=SLOW)
    with running(tmp_path, max_concurrent_calls="1") as service:
        first = service.submit(tone(), call_id="CALL-1", agent_id="agent-7")
        assert (first.status_code, first.headers["location"]) == (202, "/calls/CALL-1")
        service.wait_for_stage("CALL-1")
        for call_id, priority, place in (("LOW", "0", 1), ("HIGH", "9", 1), ("MIDDLE", "4", 2)):
            answer = service.submit(tone(pitch=500), call_id=call_id, priority=priority)
            assert (answer.status_code, answer.json()["queue_position"]) == (202, place)
        assert service.get(first.headers["location"]).json()["percent"] < 100
        in_work, waiting = service.call("CALL-1"), service.call("LOW")
        assert (in_work["status"], in_work["attempts"], in_work["queue_position"]) == ("processing", 1, None)
        assert (waiting["status"], waiting["attempts"], waiting["queue_position"]) == ("queued", 0, 3)
        assert [service.call(call_id)["priority"] for call_id in ("LOW", "HIGH")] == [0, 9]
        assert (waiting["percent"], waiting["stage"], waiting["segments"]) == (0, None, [])
        # The same recording under another id is another call, with a hint.
        assert [service.call(call_id)["duplicate_of"] for call_id in ("CALL-1", "LOW", "HIGH")] == [
            None, None, "LOW",
        ]  # fmt: skip
        write_script(tmp_path)
        service.post("/calls/CALL-1/cancel")
        ended = [service.wait_for(call_id) for call_id in ("HIGH", "MIDDLE", "LOW")]
        assert [call["status"] for call in ended] == ["completed"] * 3
        assert [call["percent"] for call in ended] == [100] * 3
        assert sorted(ended, key=lambda call: call["completed_at"]) == ended


def test_a_form_that_cannot_be_used_is_refused_at_once_and_leaves_nothing(plain: Service) -> None:
    assert code(plain.submit(tone(), priority="10")) == (422, "validation_error")
    assert code(plain.submit(tone(), call_id="a b")) == (422, "validation_error")
    assert code(plain.submit(b"<html></html>")) == (415, "unsupported_media")
    for key in ("", "x" * 256, "tab\there"):
        assert code(plain.submit(tone(), keyed(key))) == (400, "idempotency_key_invalid")
    twice = httpx.Headers([("Idempotency-Key", "a"), ("Idempotency-Key", "b")])
    assert code(plain.post("/calls", headers=twice, files={"audio": tone()})) == (
        400,
        "idempotency_key_invalid",
    )
    assert plain.submit(tone(), keyed("x" * 255)).status_code == 202
    assert len(plain.get("/calls").json()["items"]) == len(plain.recordings()) == 1


def test_failures_of_ours_are_not_kept_under_a_key_those_of_the_client_are(plain: Service) -> None:
    write_script(plain.folder, faults=[{"do": "raise"}])

    def transcribe(key: str, audio: bytes) -> httpx.Response:
        return plain.post("/transcribe", headers=keyed(key), files={"audio": audio})

    assert code(transcribe("ours", tone())) == (500, "stt_failed")
    write_script(plain.folder)
    again = transcribe("ours", tone())
    assert (again.status_code, again.headers.get("idempotent-replayed")) == (200, None)
    broken = tone()[:44]
    first, second = transcribe("theirs", broken), transcribe("theirs", broken)
    assert code(first) == code(second) == (422, "undecodable_audio")
    assert first.json()["call_id"] == second.json()["call_id"]
    assert [answer.headers.get("idempotent-replayed") for answer in (first, second)] == [None, "true"]
