"""Row 54: a recording of hours, and one that takes longer than its length allows."""

from __future__ import annotations

import math
import time

from app.services.audio.windows import WINDOW_S
from tests.faults.rounds import Rounds
from tests.faults.rows import Conditions, Outcome, Row
from tests.process.service import Service, running, tone, wav, write_script

MINUTES = 240
RATE = 4000
DEADLINE_S, FACTOR = 2.0, 0.5
"""No call may take longer than that, unless half its length is more."""
TOO_LONG_S = 3.0
WORDS = "that is too expensive for us"


def hear_hours(conditions: Conditions, count: int) -> Outcome:
    """A recording of ``count`` minutes, a short one and one in between. The engine takes its time in each."""
    folder = conditions.folder
    limits = {"call_deadline_min_s": str(DEADLINE_S), "call_deadline_factor": str(FACTOR)}
    write_script(folder, WORDS)
    rounds = Rounds(3)
    with running(folder, max_upload_size_mb="500", **limits) as service:
        rounds.run(
            1,
            lambda number: (hours_are_heard, deadline_is_told, deadline_grows)[number](
                service, rounds, count
            ),
        )
    return rounds.outcome()


def hours_are_heard(service: Service, rounds: Rounds, minutes: int) -> None:
    """Through both doors: handed in, and waited for."""
    write_script(service.folder, WORDS, faults=[{"do": "sleep", "seconds": TOO_LONG_S, "times": 1}])
    recording = silence(minutes * 60)
    began = time.monotonic()
    answer = service.submit(recording, call_id="HOURS")
    assert answer.status_code == 202, answer.text
    answer = service.post("/transcribe", files={"audio": recording}, data={"call_id": "HOURS"}, timeout=3600)
    assert answer.status_code == 200, answer.text
    seconds = time.monotonic() - began
    rounds.took(f"{minutes} minutes heard", seconds)
    assert seconds > DEADLINE_S
    call = service.call("HOURS")
    assert (call["status"], call["duration_seconds"]) == ("completed", minutes * 60), call["error"]
    assert call["transcript"].split() == WORDS.split() * math.ceil(minutes * 60 / WINDOW_S)


def deadline_is_told(service: Service, rounds: Rounds, _minutes: int) -> None:
    write_script(service.folder, WORDS, faults=[{"do": "sleep", "seconds": TOO_LONG_S}])
    began = time.monotonic()
    answer = service.transcribe(tone(1), call_id="SHORT")
    rounds.took("deadline told", time.monotonic() - began)
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded"), answer.text
    call = service.call("SHORT")
    assert (call["status"], call["error"]["code"], call["error"]["stage"]) == (
        "failed",
        "deadline_exceeded",
        "transcribe",
    )


def deadline_grows(service: Service, _rounds: Rounds, _minutes: int) -> None:
    """What is too long for a second is not for thirty; twice that is too long for six."""
    write_script(service.folder, WORDS, faults=[{"do": "sleep", "seconds": TOO_LONG_S}])
    longer = service.transcribe(silence(30), call_id="LONGER")
    assert (longer.status_code, longer.json()["status"]) == (200, "completed"), longer.text
    write_script(service.folder, WORDS, faults=[{"do": "sleep", "seconds": 2 * TOO_LONG_S}])
    between = service.transcribe(silence(6), call_id="BETWEEN")
    assert (between.status_code, between.json()["code"]) == (504, "deadline_exceeded"), between.text
    assert service.call("BETWEEN")["error"]["code"] == "deadline_exceeded"


def silence(seconds: int) -> bytes:
    """But for a second of a tone at its beginning."""
    speech = tone(1, rate=RATE)[44:]
    return wav(speech + bytes(2 * RATE * (seconds - 1)), RATE)


LONG_CALL = Row(
    54,
    "A file of 4 hours meets no fixed limit of time; a call's deadline grows with its length, and is told "
    "when it is exceeded",
    MINUTES,
    hear_hours,
    short=8,
)
