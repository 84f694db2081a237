"""Rows 93 and 95: what an orchestrator asks, under load, without a database, at the start and at the end."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import httpx

from tests.faults.database import embedded, way_to_the_server
from tests.faults.measures import Timing, percentile, timed, total
from tests.faults.rounds import Rounds, until
from tests.faults.rows import Conditions, Outcome, Row
from tests.process.cluster import TENTH
from tests.process.proxy import Proxy
from tests.process.service import Service, running, tone, write_script

BLOCKING = 45
PROBES = 300
P99_S = 0.05
REQUESTS = 200
EXIT_WITHIN_S = 30.0
TIMES = {"drain_s": "5", "stop_grace_s": "3"}
SHORT_TIMES = {"drain_s": "2.5", "stop_grace_s": "1"}
WORK_S = 0.5
"""Of a call: when the service has ended, most of those that wait have not been begun."""


def ask_for_health(conditions: Conditions, count: int) -> Outcome:
    """``count`` times `/health`, while more requests than there are threads wait for the database."""
    write_script(conditions.folder)
    with way_to_the_server() as way, embedded(conditions.folder, way, **TENTH) as service:
        outcome, waits = probe_while_blocked(service, way, count)
        way.leave()
        assert service.get("/health").status_code == 200
        ready = service.get("/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "not_ready")
        assert ready.json()["checks"]["database"] == "The database cannot be reached"
        way.come_back()
        until(lambda: service.get("/ready").status_code == 200, "the service to be ready again")
    loads_first(conditions)
    p99 = Timing(f"p99 of /health with {BLOCKING} requests blocked", percentile(waits, 0.99), P99_S)
    return timed(outcome, p99, judged=count == PROBES)


def probe_while_blocked(service: Service, way: Proxy, count: int) -> tuple[Outcome, list[float]]:
    """The database is there and says nothing; who is told so after a while asks again."""
    over, told = threading.Event(), list[int]()

    def ask() -> None:
        while not over.is_set():
            told.append(service.get("/calls").status_code)

    with ThreadPoolExecutor(BLOCKING) as pool:
        way.stop_up()
        try:
            asking = [pool.submit(ask) for _ in range(BLOCKING)]
            until(lambda: all(request.running() for request in asking), "all to be on their way")
            time.sleep(0.5)
            outcome, waits = probe(service, count)
            assert set(told) <= {503}, "they do not block"
        finally:
            over.set()
            way.let_flow()
    for request in asking:
        request.result()
    assert set(told) <= {200, 503}, set(told)
    return outcome, waits


def probe(service: Service, count: int) -> tuple[Outcome, list[float]]:
    rounds, waits = Rounds(count), list[float]()
    connection = HTTPConnection("127.0.0.1", service.port, timeout=30)

    def one(_: int) -> None:
        began = time.perf_counter()
        connection.request("GET", "/health")
        answer = connection.getresponse()
        answer.read()
        waits.append(time.perf_counter() - began)
        assert answer.status == 200
        time.sleep(0.01)

    with closing(connection):
        rounds.run(1, one)
    return rounds.outcome(), waits


def loads_first(conditions: Conditions) -> None:
    """At the start it is alive, and says that it is not ready, until its engines are."""
    with running(conditions.folder, wait_ready=False) as service:
        answers: list[httpx.Response] = []

        def is_ready() -> bool:
            assert service.get("/health").status_code == 200
            answers.append(service.get("/ready"))
            return answers[-1].status_code == 200

        until(is_ready, "the engines to be loaded")
    first: dict[str, Any] = answers[0].json()
    assert (answers[0].status_code, first["status"]) == (503, "not_ready")
    assert first["checks"]["engines"]["stt"]["state"] == "loading", first["checks"]["engines"]["stt"]
    assert {answer.status_code for answer in answers[:-1]} == {503}


class Readers:
    """Clients that ask for something quick again and again, on connections that they keep, until they are
    told that the service is not ready any more."""

    def __init__(self, service: Service, count: int) -> None:
        self._service = service
        self.not_ready = threading.Event()
        self.answered = [0] * count
        self.dropped: list[str | None] = [None] * count
        self._threads = [threading.Thread(target=self._read, args=(at,), daemon=True) for at in range(count)]
        for thread in self._threads:
            thread.start()

    def _read(self, number: int) -> None:
        with closing(HTTPConnection("127.0.0.1", self._service.port, timeout=60)) as connection:
            self._read_from(connection, number)

    def _read_from(self, connection: HTTPConnection, number: int) -> None:
        while not self.not_ready.is_set():
            try:
                connection.request("GET", "/calls?limit=1")
                answer = connection.getresponse()
                answer.read()
            except OSError as error:
                self.dropped[number] = repr(error)
                return
            if answer.status != 200:
                self.dropped[number] = str(answer.status)
            self.answered[number] += 1

    def join(self) -> None:
        for thread in self._threads:
            thread.join(60)


def stop_under_load(conditions: Conditions, count: int) -> Outcome:
    """``count`` requests, a quarter of which wait for a result; one API process and, as a whole, two."""
    processes, times = ((1,), SHORT_TIMES) if conditions.short else ((1, 2), TIMES)
    return total(*(_stop(conditions, count, workers, times) for workers in processes))


def _stop(conditions: Conditions, count: int, workers: int, times: dict[str, str]) -> Outcome:
    folder = conditions.folder / f"workers-{workers}"
    folder.mkdir()
    write_script(folder, faults=[{"do": "sleep", "seconds": WORK_S}])
    waiting = count // 4
    rounds = Rounds(count)
    answers: dict[int, httpx.Response] = {}
    room = {"max_queued_calls": str(waiting)}
    with running(folder, workers=workers, **times, **room) as service, ThreadPoolExecutor(waiting) as pool:

        def transcribe(number: int) -> None:
            answers[number] = service.transcribe(tone(1, 300 + number), call_id=f"CALL-{number}")

        sent = [pool.submit(transcribe, number) for number in range(waiting)]
        until(lambda: len(service.get("/calls?limit=200").json()["items"]) == waiting, "all to be taken in")
        readers = Readers(service, count - waiting)
        until(lambda: all(readers.answered), "all readers to be at it")
        service.process.terminate()
        began = time.monotonic()
        until(lambda: service.get("/ready").status_code == 503, "the service to say that it stops")
        says_that_it_stops(service)
        readers.not_ready.set()
        readers.join()
        for request in sent:
            request.result(60)
        service.process.wait(EXIT_WITHIN_S)
        rounds.took(f"{workers} API process(es): ended", time.monotonic() - began)

    def one(number: int) -> None:
        if number >= waiting:
            assert readers.dropped[number - waiting] is None, readers.dropped[number - waiting]
        else:
            rounds.saw(f"answered {is_answered(answers[number])}")

    rounds.run(1, one)
    nothing_is_lost(service, waiting)
    return rounds.outcome()


def says_that_it_stops(service: Service) -> None:
    """It is not ready first, and still answers: nobody new is let in, and it is alive."""
    refused = service.submit(tone())
    assert (refused.status_code, refused.json()["code"]) == (503, "stopping")
    assert int(refused.headers["retry-after"]) > 0
    assert service.get("/health").status_code == 200


def is_answered(answer: httpx.Response) -> int:
    """With the result, or with where to find it later."""
    if answer.status_code != 200:
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (503, "interrupted")
        assert int(answer.headers["retry-after"]) > 0
        assert problem["call_id"] in problem["detail"]
    return answer.status_code


def nothing_is_lost(stopped: Service, waiting: int) -> None:
    write_script(stopped.folder)
    with running(stopped.folder) as again:
        for number in range(waiting):
            call = again.wait_for(f"CALL-{number}")
            assert (call["status"], call["attempts"]) == ("completed", 1)


HEALTH = Row(
    93,
    "45 requests blocked: p99 of /health at most 50 ms; without a database alive but not ready, and says "
    "why; not ready while engines load",
    PROBES,
    ask_for_health,
    short=50,
)
STOPPING = Row(
    95,
    "SIGTERM under 200 requests, with one and with two API processes: not ready first, none dropped, ended "
    "within 30 s, every call finished later",
    REQUESTS,
    stop_under_load,
    short=40,
)
