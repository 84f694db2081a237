"""Row 16: far more calls than can be worked on."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx

from tests.faults.measures import Timing, percentile, timed, total
from tests.faults.rounds import Rounds
from tests.faults.rows import Conditions, Outcome, Row
from tests.process.brokers import broker_url
from tests.process.cluster import DEFAULTS, TENTH, cluster
from tests.process.service import Service, running, tone, write_script

SUBMISSIONS = 500
SLOTS = 2
WORK_S = 0.5
TIMES_CAPACITY = 10
CLIENTS = 16
RECORDINGS = 10
P95_S = 0.2


def submit_too_many(conditions: Conditions, count: int) -> Outcome:
    """``count`` submissions to a service on its defaults, and as many where workers do the work."""
    times = DEFAULTS if conditions.defaults else TENTH
    folders = conditions.folder / "embedded", conditions.folder / "workers"
    for folder in folders:
        folder.mkdir()
        write_script(folder, faults=[{"do": "sleep", "seconds": WORK_S}])
    room = {"max_queued_calls": "4", "max_concurrent_calls": str(SLOTS)}
    with running(folders[0], **room, **times) as service:
        alone = crowd(service, count, "SQLite, no broker")
    with ExitStack() as stack:
        found = stack.enter_context(cluster(folders[1], broker_url("rabbitmq"), **times, **room))
        api = found.start_api()
        found.start_workers()
        return total(alone, crowd(api, count, "PostgreSQL, RabbitMQ"))


def crowd(service: Service, count: int, where: str) -> Outcome:
    """Ten times as many calls a second as can be worked on, whatever the answers are."""
    rounds = Rounds(count)
    recordings = [tone(0.6, 300 + number) for number in range(RECORDINGS)]
    per_s = TIMES_CAPACITY * SLOTS / WORK_S
    waits: list[float] = []
    taken: list[str] = []
    lock = threading.Lock()
    began = time.monotonic() + 0.5

    with httpx.Client(base_url=service.url, timeout=60) as client:

        def one(number: int) -> None:
            time.sleep(max(0.0, began + number / per_s - time.monotonic()))
            sent, call_id = time.perf_counter(), f"CALL-{number}"
            files = {"audio": ("call.wav", recordings[number % RECORDINGS])}
            answer = client.post("/calls", files=files, data={"call_id": call_id})
            with lock:
                waits.append(time.perf_counter() - sent)
                if answer.status_code == 202:
                    taken.append(call_id)
            if answer.status_code != 202:
                check_refusal(answer)

        rounds.run(CLIENTS, one)
    check_ends(service, taken, count)
    rounds.saw(f"{where}: taken", len(taken))
    p95 = Timing(f"{where}: p95 of POST /calls", percentile(waits, 0.95), P95_S)
    return timed(rounds.outcome(), p95, judged=count == SUBMISSIONS)


def check_refusal(answer: httpx.Response) -> None:
    assert answer.status_code in (429, 503), (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "busy", answer.text
    assert int(answer.headers["retry-after"]) > 0


def check_ends(service: Service, taken: list[str], count: int) -> None:
    """Each call that was taken is finished; of those that were not, nothing is left."""
    assert 0 < len(taken) < count
    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(service.wait_for, taken))
    assert {call["status"] for call in ended} == {"completed"}
    known = [item["call_id"] for item in all_calls(service)]
    assert sorted(known) == sorted(taken)
    assert len(service.recordings()) == len(taken)


def all_calls(service: Service) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    cursor: dict[str, str] = {}
    while True:
        page = service.get("/calls", params={"limit": "200", **cursor}).json()
        found += page["items"]
        if not page["next_cursor"]:
            return found
        cursor = {"cursor": page["next_cursor"]}


FULL_QUEUE = Row(
    16,
    "500 submissions at ten times the capacity, where the API works and where workers do: each is taken and "
    "finished or told when to come back; p95 of the answers at most 200 ms",
    SUBMISSIONS,
    submit_too_many,
    short=40,
)
