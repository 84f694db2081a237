"""The stream of a call's progress, from the process that works on it and from another."""

from __future__ import annotations

import threading
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from tests.process.service import Service, running, tone, wait_until, write_script

Events = list[tuple[str, dict[str, Any]]]


def follow(service: Service, call_id: str) -> tuple[threading.Thread, Events]:
    events: Events = []
    thread = threading.Thread(
        target=lambda: events.extend(service.events(f"/calls/{call_id}/events")), daemon=True
    )
    thread.start()
    wait_until(lambda: bool(events), "the first event")
    return thread, events


def check_progress(events: Events) -> None:
    """Each event is news, percent never falls, and only the last has all of it."""
    states = [data for _, data in events]
    assert all(name == "progress" for name, _ in events)
    assert all(earlier != later for earlier, later in pairwise(states))
    percents = [state["percent"] for state in states]
    assert percents == sorted(percents)
    assert [percent == 100 for percent in percents] == [False] * (len(percents) - 1) + [True]


def test_a_call_is_followed_from_the_queue_to_its_result_by_two_processes(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 60}])
    with running(tmp_path, max_concurrent_calls="1") as one:
        one.submit(tone(), call_id="FIRST")
        one.wait_for_stage("FIRST")
        one.submit(tone(), call_id="CALL-1", priority="9")
        write_script(tmp_path, faults=[{"do": "sleep", "seconds": 4}])
        with running(tmp_path, max_concurrent_calls="1") as other:
            other.wait_for_stage("CALL-1")
            followed = [follow(service, "CALL-1") for service in (one, other)]
            one.submit(tone(), call_id="LAST")
            queued = follow(other, "LAST")
            one.post("/calls/FIRST/cancel")
            for thread, events in followed:
                thread.join(60)
                check_progress(events)
                assert events[-1][1]["status"] == "completed"
                assert {data["stage"] for _, data in events} >= {"transcribe", None}
                # At work on one window that is not over: it moves all the same.
                assert len({data["percent"] for _, data in events if data["stage"] == "transcribe"}) > 1
            result = other.call("CALL-1")
            assert (result["percent"], result["transcript"]) == (100, "that is too expensive for us")
            queued[0].join(60)
            check_progress(queued[1])
            assert [queued[1][0][1][key] for key in ("status", "queue_position")] == ["queued", 1]


def test_a_stream_ends_with_the_call_however_that_ends(plain: Service) -> None:
    write_script(plain.folder, faults=[{"do": "sleep", "seconds": 60}])
    for call_id, pitch in (("CANCELLED", 300), ("DELETED", 400)):
        plain.submit(tone(pitch=pitch), call_id=call_id)
        plain.wait_for(call_id, "processing")
    (cancelling, cancelled), (deleting, deleted) = (
        follow(plain, call_id) for call_id in ("CANCELLED", "DELETED")
    )
    assert plain.post("/calls/CANCELLED/cancel").json()["status"] == "cancelled"
    assert plain.delete("/calls/DELETED").status_code == 204
    cancelling.join(60)
    deleting.join(60)
    assert cancelled[-1][1]["status"] == "cancelled"
    assert cancelled[-1][1]["percent"] < 100
    assert deleted[-1] == ("deleted", {"call_id": "DELETED"})
    # It has ended: one event, and a browser that comes back is told to stay away.
    assert [data["status"] for _, data in plain.events("/calls/CANCELLED/events")] == ["cancelled"]
    again = plain.get("/calls/CANCELLED/events", headers={"Last-Event-ID": "last"})
    assert (again.status_code, again.content) == (204, b"")
    missing = plain.get("/calls/nobody/events")
    assert (missing.status_code, missing.json()["code"]) == (404, "call_not_found")


def test_a_stream_is_not_held_back_by_proxies_and_ends_with_its_client(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 60}])
    with running(tmp_path, stop_grace_s="0") as service:
        service.submit(tone(), call_id="CALL-1")
        with httpx.stream("GET", f"{service.url}/calls/CALL-1/events", timeout=30) as answer:
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-accel-buffering"] == "no"
            assert next(answer.iter_lines()) == "retry: 3000"

        def noticed() -> bool:
            return any(line.get("route") == "/calls/{call_id}/events" for line in service.log_lines())

        wait_until(noticed, "the service to notice that its client has gone")
        assert service.call("CALL-1")["status"] == "processing"


def test_a_stream_ends_when_the_service_stops(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 60}])
    with running(tmp_path, stop_grace_s="1") as service:
        service.submit(tone(), call_id="CALL-1")
        service.wait_for_stage("CALL-1")
        thread, events = follow(service, "CALL-1")
        service.stop()
        thread.join(30)
        assert not thread.is_alive()
        assert events[-1][1]["status"] in ("processing", "queued")


def test_ninety_clients_that_wait_hold_up_nobody(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 600}])
    with running(tmp_path, stop_grace_s="0", max_queued_calls="45") as service:

        def transcribe(number: int) -> None:
            with suppress(httpx.TransportError):
                service.transcribe(tone(1, 300 + number), call_id=f"CALL-{number}")

        for number in range(45):
            threading.Thread(target=transcribe, args=(number,), daemon=True).start()
        wait_until(lambda: len(service.get("/calls").json()["items"]) == 45, "all calls to be taken in")
        streams = [follow(service, f"CALL-{number}") for number in range(45)]
        for _ in range(20):
            assert service.get("/health").status_code == 200
            assert service.get("/calls/CALL-1").json()["status"] in ("queued", "processing")
        assert all(thread.is_alive() for thread, _ in streams)
        ended = sum(line.get("route") == "/transcribe" for line in service.log_lines())
        assert ended == 0
