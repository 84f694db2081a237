"""Rows 12 and 13: a stage that fails, and a rerun that does: what there was of a call is not lost."""

from __future__ import annotations

import os
import signal
from typing import Any

import httpx

from tests.faults.points import reached, set_points, with_points
from tests.faults.rounds import Rounds, spread, until
from tests.faults.rows import Conditions, Outcome, Row
from tests.process.service import Service, running, tone, write_script

WORDS = "the first words of all"
MISSING, RAISING = "missing", "raising"
RAISE, KILL, CANCEL = "raise", "kill", "cancel"
WAYS = (
    (RAISE, "transcribe"),
    (CANCEL, "sentiment"),
    (KILL, "transcribe"),
    (RAISE, "persist"),
    (RAISE, "decode"),
    (CANCEL, "transcribe"),
    (RAISE, "voice_activity"),
    (KILL, "voice_activity"),
    (CANCEL, "diarization"),
    (CANCEL, "decode"),
)
"""How a rerun ends in the middle, and where."""
LINGER_S = 2.0
EXPORTS = (
    "/transcript?format=json",
    "/transcript?format=vtt",
    "/transcript?format=txt",
    "/metrics",
    "?format=aws",
)
STATE = {"status", "stage", "error", "percent", "queue_position", "attempts"}
"""What a rerun may alter of a call before it is complete."""


def lose_the_speakers(conditions: Conditions, count: int) -> Outcome:
    """Of the calls, every other one meets a diarization that is missing, the rest one that raises."""
    folder = conditions.folder
    write_script(folder, WORDS)
    set_points(folder)
    points = with_points(folder)
    first: dict[int, httpx.Response] = {}

    def send(service: Service, numbers: range) -> None:
        for number in numbers:
            first[number] = service.transcribe(tone(pitch=300 + number), call_id=f"CALL-{number}")

    # One channel, and nobody who takes that.
    with running(folder, diarization_provider="channel", **points) as service:
        send(service, range(0, count, 2))
    set_points(folder, raise_in=["diarization"])
    rounds = Rounds(count)
    with running(folder, diarization_provider="pauses", **points) as service:
        send(service, range(1, count, 2))
        set_points(folder)

        def one(number: int) -> None:
            before = with_warning(first[number])
            rounds.saw(MISSING if number % 2 == 0 else RAISING)
            done_again_alone(service, f"CALL-{number}", before)

        rounds.run(2, one)
    return rounds.outcome()


def with_warning(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    call: dict[str, Any] = answer.json()
    assert (call["status"], call["transcript"]) == ("completed_with_warnings", WORDS)
    assert failed_stages(call) == {"diarization"}
    return call


def done_again_alone(service: Service, call_id: str, before: dict[str, Any]) -> None:
    again = service.post(f"/calls/{call_id}/rerun")
    assert (again.status_code, again.headers["location"]) == (202, f"/calls/{call_id}")
    after = service.wait_for(call_id)
    assert (after["status"], after["engines"]["diarization"]) == ("completed", "pauses")
    assert after["transcript"] == before["transcript"]
    assert failed_stages(after) == set()
    assert service.times_done("transcribe", call_id) == 1
    assert service.times_done("diarization", call_id) == 2


def failed_stages(call: dict[str, Any]) -> set[str]:
    """Those of which a warning says that they failed; another says that a lesser engine answered."""
    codes = "diarization_unavailable", "diarization_failed"
    return {warning["stage"] for warning in call["warnings"] if warning["code"] in codes}


def fail_again(conditions: Conditions, count: int) -> Outcome:
    folder = conditions.folder
    write_script(folder, WORDS)
    set_points(folder)
    rounds = Rounds(count)
    ways = [WAYS[number % len(WAYS)] for number in range(count)]
    settings = {"max_attempts": "1", "stop_grace_s": "0", **with_points(folder)}
    with running(folder, **settings) as service:
        assert service.transcribe(tone(), call_id="CALL-1").status_code == 200
        before = served(service)

        def one(number: int) -> None:
            write_script(folder, f"other words {number}")
            end_midway(service, *ways[number], before)

        rounds.run(1, one)
        set_points(folder)
        write_script(folder, "new words")
        service.post("/calls/CALL-1/rerun", json={"from": "transcription"})
        assert service.wait_for("CALL-1")["transcript"] == "new words"
    return rounds.outcome(spread([f"{way} in {stage}" for way, stage in ways]))


def end_midway(service: Service, way: str, stage: str, before: dict[str, bytes | dict[str, Any]]) -> None:
    linger_s = LINGER_S if way == RAISE or stage == "decode" else 60
    set_points(service.folder, linger_s={stage: linger_s}, raise_in=[stage] if way == RAISE else [])
    begun = reached(service.folder).count(stage)
    answer = service.post("/calls/CALL-1/rerun", json={"from": "transcription"})
    assert answer.status_code == 202, answer.text
    service.wait_for_stage("CALL-1", stage)
    assert served(service) == before
    if way == KILL:
        # The call is in its stage while the engine of the round before is still being replaced.
        until(lambda: reached(service.folder).count(stage) > begun, f"an engine to be in {stage}")
        os.kill(service.engine_pid(), signal.SIGKILL)
    elif way == CANCEL:
        assert service.post("/calls/CALL-1/cancel").json()["status"] == "completed"
    until(lambda: service.call("CALL-1")["status"] == "completed", "the rerun to end")
    assert served(service) == before
    call = service.call("CALL-1")
    assert call["percent"] == 100
    assert (call["error"] is None) == (way == CANCEL), call["error"]
    if call["error"]:
        assert call["error"]["stage"] == stage
    set_points(service.folder)
    until(lambda: service.get("/ready").status_code == 200, "the engines to be there again")


def served(service: Service) -> dict[str, bytes | dict[str, Any]]:
    """The result in every form in which it can be read."""
    forms: dict[str, bytes | dict[str, Any]] = {}
    for form in EXPORTS:
        answer = service.get(f"/calls/CALL-1{form}")
        assert answer.status_code == 200, answer.text
        forms[form] = answer.content
    return {**forms, "": {name: value for name, value in service.call("CALL-1").items() if name not in STATE}}


FAILED_STAGE = Row(
    12,
    "The diarization engine is missing or raises: a transcript with a warning; a rerun does that stage "
    "alone, what was transcribed once stays",
    10,
    lose_the_speakers,
    short=2,
)
FAILED_RERUN = Row(
    13,
    "A rerun fails, is cancelled or loses its engine midway: the earlier result stays, byte for byte",
    10,
    fail_again,
    short=3,
)
