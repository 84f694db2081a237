"""Row 15: a call is cancelled where it is, in the queue and in every stage."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.services.audio.ffmpeg import find_ffmpeg
from tests.faults.calls import messages, traces_of_writes, versions
from tests.faults.points import STAGES, set_points, with_points
from tests.faults.rounds import Rounds, spread, until
from tests.faults.rows import Conditions, Outcome, Row
from tests.process.brokers import broker_url
from tests.process.cluster import DEFAULTS, TENTH, Cluster, Workers, cluster
from tests.process.service import Service, tone, write_script
from tests.services.webhooks.receiver import Receiver, receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
QUEUED = "queued"
PLACES = (
    QUEUED,
    "transcribe",
    "persist",
    "decode",
    "sentiment",
    *STAGES[1:2],
    "diarization",
    "roles",
    "metrics",
    "moments",
)
ENGINES = ("voice_activity", "transcribe", "diarization", "sentiment")
"""Stages that would go on for minutes: they are cut off. The others are soon over."""
STOPPED_WITHIN_S = 10.0
BRIEFLY_S, FOR_MINUTES_S = 1.5, 300.0


@dataclass(frozen=True)
class Stand:
    """One worker that takes one call at a time, the API before it, and who is told of ends."""

    found: Cluster
    api: Service
    workers: Workers
    receiver: Receiver

    def linger_in(self, stage: str) -> None:
        decoding = self.found.folder / "decoding"
        if stage == "decode":
            decoding.touch()
        else:
            decoding.unlink(missing_ok=True)
        lingering = {stage: FOR_MINUTES_S if stage in ENGINES else BRIEFLY_S}
        set_points(self.found.folder, linger_s=lingering if stage not in ("", "decode") else {})

    def told_of(self, call_id: str) -> list[str]:
        """The events that were sent about a call."""
        bodies: list[dict[str, Any]] = [json.loads(received.body) for received in self.receiver.received]
        return [body["type"] for body in bodies if body["data"]["call_id"] == call_id]

    def has_let_go_of(self, call_id: str) -> bool:
        return any(line.get("call_id") == call_id for line in self.workers.lines("call.gone"))


def slow_ffmpeg(folder: Path) -> str:
    """The real one, but it does not begin as long as the file `decoding` is there."""
    program = folder / "ffmpeg"
    program.write_text(
        f'#!/bin/sh\nwhile [ -e "{folder}/decoding" ]; do sleep 0.1; done\nexec "{find_ffmpeg(None)}" "$@"\n'
    )
    program.chmod(0o755)
    return str(program)


@contextmanager
def stand(conditions: Conditions) -> Iterator[Stand]:
    folder = conditions.folder
    write_script(folder)
    set_points(folder)
    settings = {
        "webhook_secret": SECRET,
        "webhook_allowed_hosts": "127.0.0.1",
        "max_concurrent_calls": "1",
        "ffmpeg_path": slow_ffmpeg(folder),
        **(DEFAULTS if conditions.defaults else TENTH),
        **with_points(folder),
    }
    with receiving() as receiver, cluster(folder, broker_url("rabbitmq"), **settings) as found:
        yield Stand(found, found.start_api(), found.start_workers(), receiver)


def cancel_everywhere(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    places = [PLACES[number % len(PLACES)] for number in range(count)]
    with stand(conditions) as here:

        def one(number: int) -> None:
            cancel(here, f"CALL-{number}", places[number], rounds)

        rounds.run(1, one)
        left = [path.name for path in (here.found.folder / "data" / "scratch").glob("*/*")]
        assert not left, left
    return rounds.outcome(spread(places))


def cancel(here: Stand, call_id: str, place: str, rounds: Rounds) -> None:
    before_it = f"BEFORE-{call_id}"
    here.linger_in("transcribe" if place == QUEUED else place)
    if place == QUEUED:
        here.api.submit(tone(pitch=300), call_id=before_it)
        here.found.wait_for_stage(before_it, "transcribe")
    answer = here.api.submit(tone(), call_id=call_id, webhook_url=here.receiver.url())
    assert answer.status_code == 202, answer.text
    if place != QUEUED:
        here.found.wait_for_stage(call_id, place)

    answer = here.api.post(f"/calls/{call_id}/cancel")
    began = time.monotonic()
    was_too_late = place == "persist" and answer.status_code == 409
    rounds.saw("too late" if was_too_late else "cancelled")
    if not was_too_late:
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled"), answer.text
    before = writes(here, call_id)
    if place == QUEUED:
        assert here.api.post(f"/calls/{before_it}/cancel").status_code == 200
        call_id_at_work = before_it
    else:
        call_id_at_work = call_id
    if not was_too_late:
        until(lambda: here.has_let_go_of(call_id_at_work), "the work to stop", STOPPED_WITHIN_S)
        rounds.took("stopped", time.monotonic() - began)
    nothing_comes_after(here, call_id, before, "call.completed" if was_too_late else "call.cancelled")


def nothing_comes_after(here: Stand, call_id: str, before: dict[str, list[Any]], event: str) -> None:
    """Whoever worked on it does another one; of the cancelled one, nothing is written or sent."""
    here.linger_in("")
    here.api.submit(tone(pitch=500), call_id=f"AFTER-{call_id}")
    assert here.api.wait_for(f"AFTER-{call_id}")["status"] == "completed"
    until(lambda: bool(here.told_of(call_id)), "the message", 30)
    time.sleep(0.5)
    assert here.told_of(call_id) == [event]
    assert writes(here, call_id) == before
    assert messages(here.found, call_id) == [event]
    if event == "call.cancelled":
        assert versions(here.found, call_id) == []
        shown = here.api.call(call_id)
        assert (shown["status"], shown["segments"], shown["error"]) == ("cancelled", [], None)


def writes(here: Stand, call_id: str) -> dict[str, list[Any]]:
    """All but the messages: they are marked when they were sent."""
    return {
        table: rows
        for table, rows in traces_of_writes(here.found, call_id).items()
        if table != "webhook_deliveries"
    }


CANCELLED_CALL = Row(
    15,
    "Cancelled in the queue and in every stage: stopped within 10 s, nothing written or sent afterwards",
    2 * len(PLACES),
    cancel_everywhere,
    short=4,
)
