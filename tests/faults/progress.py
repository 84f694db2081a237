"""Rows 55 and 92: what clients are told of a call, from its acceptance to its end."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import httpx
from sqlalchemy import text

from tests.faults.calls import rows
from tests.faults.measures import Timing, timed
from tests.faults.points import STAGES, set_points, with_points
from tests.faults.rounds import Rounds, spread
from tests.faults.rows import Conditions, Outcome, Row
from tests.process.brokers import broker_url
from tests.process.cluster import DEFAULTS, TENTH, Cluster, cluster
from tests.process.service import Service, running, tone, write_script
from tests.process.test_events import check_progress, follow
from tests.services.test_call_lifecycle import LEGAL

AT_ONCE = 5
CHANGES_WITHIN_S = 5.0
LONG_S, SHORT_S = 6.5, 0.3
CLIENTS = 4
ANSWER_WITHIN_S = 0.5
CALLS = 100
NOTE_CHANGES = """
CREATE TABLE seen (call_id text, earlier text, later text);
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO seen VALUES (NEW.call_id, OLD.status, NEW.status); RETURN NEW; END $$;
CREATE TRIGGER note_change AFTER UPDATE ON calls
FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION note_change();
"""
"""The database itself writes down every state that a call leaves and enters."""


def watch_progress(conditions: Conditions, count: int) -> Outcome:
    """Every call is read again and again and followed by its stream; early on, all lose their engine."""
    folder = conditions.folder
    write_script(folder)
    set_points(folder, linger_s={**dict.fromkeys(STAGES, SHORT_S), "transcribe": LONG_S})
    rounds = Rounds(count)
    times = DEFAULTS if conditions.defaults else TENTH
    settings = {**times, "max_concurrent_calls": str(AT_ONCE), **with_points(folder)}
    with running(folder, **settings) as service:

        def one(number: int) -> None:
            call_id = f"CALL-{number}"
            answer = service.submit(tone(2, 300 + number), call_id=call_id)
            assert answer.status_code == 202, answer.text
            following, events = follow(service, call_id)
            if number == 0:
                service.wait_for_stage(call_id)
                os.kill(service.engine_pid(), signal.SIGKILL)
            rounds.took("longest without a change, changed", read_to_the_end(service, call_id))
            following.join(60)
            assert not following.is_alive()
            check_progress(events)

        rounds.run(AT_ONCE, one)
        begun = [service.call(f"CALL-{number}")["attempts"] for number in range(count)]
    return rounds.outcome(f"begun {spread([f'{times}x' for times in begun])}")


def read_to_the_end(service: Service, call_id: str) -> float:
    """Returns the longest time in work without a change of what is shown."""
    changed_at, longest_s = time.monotonic(), 0.0
    shown: dict[str, Any] = {"percent": 0.0, "status": "queued"}
    while shown["percent"] < 100:
        now = service.call(call_id)
        assert now["percent"] >= shown["percent"], (shown["percent"], now["percent"])
        if now["status"] == shown["status"] == "processing" and now["percent"] == shown["percent"]:
            longest_s = max(longest_s, time.monotonic() - changed_at)
        else:
            changed_at = time.monotonic()
        assert longest_s <= CHANGES_WITHIN_S, f"{call_id} stood still at {now['percent']} %"
        if now["percent"] == 100:
            assert (now["status"], now["transcript"]) == ("completed", "that is too expensive for us")
            assert service.get(f"/calls/{call_id}/transcript").status_code == 200
        shown = now
        time.sleep(0.1)
    return longest_s


def hand_in(conditions: Conditions, count: int) -> Outcome:
    """Some are cancelled, some done again, some fail, and engines are killed, as chance will have it."""
    folder = conditions.folder
    write_script(folder, faults=[{"do": "sleep", "seconds": 0.2}, {"do": "raise", "over_s": 3}])
    rounds = Rounds(count)
    waits: list[float] = []
    chance = random.Random(count)
    plans = [chance.choices(("leave", "cancel", "rerun", "fail"), (5, 3, 2, 1))[0] for _ in range(count)]
    with cluster(folder, broker_url("rabbitmq"), **(DEFAULTS if conditions.defaults else TENTH)) as found:
        with found.database.engine.begin() as connection:
            connection.execute(text(NOTE_CHANGES))
        service = found.start_api()
        workers = found.start_workers()

        def one(number: int) -> None:
            call_id, plan = f"CALL-{number}", plans[number]
            answer, seconds = submit(service, tone(4 if plan == "fail" else 1, 300 + number), call_id)
            waits.append(seconds)
            assert (answer.status, answer.headers["location"]) == (202, f"/calls/{call_id}")
            if number % 20 == 10:
                for engine in workers.engines():
                    with suppress(ProcessLookupError):  # it may be on its way out
                        os.kill(engine, signal.SIGKILL)
            follow_plan(service, call_id, plan)

        rounds.run(CLIENTS, one)
        steps = check_steps(found)
    outcome = rounds.outcome(f"steps: {spread(steps)}")
    slowest = Timing("slowest answer after the last byte", max(waits), ANSWER_WITHIN_S)
    return timed(outcome, slowest, judged=count == CALLS)


def submit(service: Service, audio: bytes, call_id: str) -> tuple[HTTPResponse, float]:
    """The answer, and how long after the last byte it came."""
    form = httpx.Request("POST", service.url, files={"audio": ("a.wav", audio)}, data={"call_id": call_id})
    content = form.read()
    with closing(HTTPConnection("127.0.0.1", service.port, timeout=60)) as connection:
        connection.request("POST", "/calls", content, {"Content-Type": form.headers["content-type"]})
        began = time.perf_counter()
        answer = connection.getresponse()
        seconds = time.perf_counter() - began
        answer.read()
    return answer, seconds


def follow_plan(service: Service, call_id: str, plan: str) -> None:
    if plan == "cancel":
        time.sleep(random.uniform(0, 0.5))
        assert service.post(f"/calls/{call_id}/cancel").status_code in (200, 409)
    status = service.wait_for(call_id)["status"]
    if plan == "rerun":
        assert service.post(f"/calls/{call_id}/rerun", json={"from": "transcription"}).status_code == 202
        status = service.wait_for(call_id)["status"]
    wanted = {"cancel": ("cancelled", "completed"), "fail": ("failed",)}.get(plan, ("completed",))
    assert status in wanted, (plan, status, service.call(call_id)["error"])


def check_steps(found: Cluster) -> list[str]:
    """No call went from one state to another that the model of its life does not know."""
    steps = rows(found, "SELECT earlier, later FROM seen")
    legal = {(str(earlier), str(later)) for earlier, ends in LEGAL.items() for later in ends}
    assert set(steps) <= legal, set(steps) - legal
    return [f"{earlier} > {later}" for earlier, later in steps]


PROGRESS = Row(
    55,
    "Progress of calls in long stages that lose their engine midway: never falls, moves within 5 s of work, "
    "100 only when the result can be read",
    10,
    watch_progress,
    short=2,
    defaults_too=5,
)
HANDED_IN = Row(
    92,
    "202 and Location within 500 ms of the last byte; each change of state that the database saw is legal",
    CALLS,
    hand_in,
    short=8,
)
