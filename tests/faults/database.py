"""Rows 10 and 19: a database that goes away and comes back, and one that everybody writes to at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.db.migrate import migrate
from app.db.session import Database
from tests.db.databases import (
    POSTGRES_SERVER,
    in_memory,
    opened,
    postgres_database,
    postgres_url,
    sqlite_database,
    url_of,
)
from tests.db.processes import run_together, write_together
from tests.faults.measures import total
from tests.faults.rounds import Rounds, until
from tests.faults.rows import Conditions, Outcome, Row
from tests.process.brokers import broker_url
from tests.process.cluster import DEFAULTS, TENTH, cluster
from tests.process.proxy import Proxy, database_through, proxied
from tests.process.service import Service, running, tone, write_script
from tests.process.test_crashes import in_background
from tests.process.test_events import check_progress, follow

CALLS = 10
AWAY_S, SHORTLY_S = 60.0, 4.0
"""The shorter time is still longer than a lease."""
BACK_WITHIN_S = 10.0
WORK_S = 1.5
INTERNALS = ("Traceback", "SELECT", "psycopg", "port ")
"""What an answer must not tell of."""
WRITERS = 50
PROCESSES = 2


@contextmanager
def way_to_the_server() -> Iterator[Proxy]:
    address = make_url(POSTGRES_SERVER)
    with proxied(address.host or "127.0.0.1", address.port or 5432) as way:
        yield way


@contextmanager
def embedded(folder: Path, way: Proxy, **settings: str) -> Iterator[Service]:
    """A service that does its work itself, on a database at the end of ``way``."""
    with postgres_url() as url:
        with opened(url) as database:
            migrate(database)
        with running(folder, database_url=database_through(way, url), **settings) as service:
            yield service


def lose_the_database(conditions: Conditions, count: int) -> Outcome:
    """``count`` calls where the API does the work, as many where workers do it; both lose the same server."""
    times = DEFAULTS if conditions.defaults else TENTH
    folders = conditions.folder / "embedded", conditions.folder / "workers"
    for folder in folders:
        folder.mkdir()
        write_script(folder, faults=[{"do": "sleep", "seconds": WORK_S}])
    away_s = SHORTLY_S if conditions.short else AWAY_S
    with ExitStack() as stack:
        way = stack.enter_context(way_to_the_server())
        alone = stack.enter_context(embedded(folders[0], way, **times))
        found = stack.enter_context(cluster(folders[1], broker_url("rabbitmq"), **times))
        via = {"database_url": database_through(way, found.settings["database_url"])}
        api = found.start_api(**via)
        found.start_workers(processes=1 if conditions.short else 2, **via)
        go_through_it(way, alone, api, away_s, count)
        return total(
            finished(alone, count, lambda _: True),
            finished(api, count, lambda call_id: found.results(call_id) == (1, 1)),
            Outcome(0, 0, f"away for {away_s:.0f} s"),
        )


def go_through_it(way: Proxy, alone: Service, api: Service, away_s: float, count: int) -> None:
    for service in (alone, api):
        for number in range(count):
            assert service.submit(tone(pitch=300 + number), call_id=f"CALL-{number}").status_code == 202
    waited_for: list[httpx.Response] = []
    waiting = in_background(lambda: waited_for.append(wait_for_result(alone)))
    until(lambda: alone.get("/calls/WAITED-FOR").status_code == 200, "the last call to be taken in")
    following, events = follow(alone, f"CALL-{count - 1}")
    for service in (alone, api):
        until(lambda: is_working(service), "a call to be in work")  # noqa: B023

    way.leave()
    began, asked = time.monotonic(), 0
    while time.monotonic() - began < away_s:
        for service in (alone, api):
            check_away(service)
            asked += 1
        time.sleep(1)
    assert asked > 1
    way.come_back()

    back = time.monotonic()
    for service in (alone, api):
        until(lambda: service.get("/ready").status_code == 200, "the service to be ready")  # noqa: B023
        answer = service.submit(tone(pitch=900), call_id="NEW")
        assert answer.status_code == 202, answer.text
    assert time.monotonic() - back <= BACK_WITHIN_S
    waiting.join(120)
    assert [answer.status_code for answer in waited_for] == [200]
    following.join(120)
    check_progress(events)


def is_working(service: Service) -> bool:
    """Whichever call it is: the first may be finished before the last has been sent."""
    return bool(service.get("/calls", params={"status": "processing"}).json()["items"])


def wait_for_result(service: Service) -> httpx.Response:
    return service.post(
        "/transcribe", files={"audio": tone()}, data={"call_id": "WAITED-FOR"}, timeout=4 * AWAY_S
    )


def check_away(service: Service) -> None:
    """Every kind of request says so, in the one shape of errors; the process itself is alive."""
    other = tone(pitch=950)
    for answer in (
        service.get("/calls"),
        service.get("/calls/CALL-0"),
        service.get("/calls/CALL-0/events"),
        service.post("/calls/CALL-0/cancel"),
        service.submit(other, call_id="REFUSED"),
        service.transcribe(other, call_id="REFUSED"),
    ):
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (503, "database_unavailable"), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        assert not [word for word in INTERNALS if word in answer.text], answer.text
    assert service.get("/health").status_code == 200
    ready = service.get("/ready")
    assert ready.status_code == 503
    assert ready.json()["checks"]["database"] == "The database cannot be reached"


def finished(service: Service, count: int, is_whole: Callable[[str], bool]) -> Outcome:
    rounds = Rounds(count)

    def one(number: int) -> None:
        call_id = f"CALL-{number}"
        call = service.wait_for(call_id)
        assert call["status"] == "completed", call["error"]
        assert call["transcript"]
        assert is_whole(call_id)
        rounds.saw(f"begun {call['attempts']}x")

    rounds.run(4, one)
    assert service.get("/calls/REFUSED").status_code == 404
    assert service.wait_for("NEW")["status"] == "completed"
    assert "Traceback" not in (service.folder / "service.log").read_text()
    return rounds.outcome()


def write_at_once(_conditions: Conditions, count: int) -> Outcome:
    """``count`` transactions of each of the fifty, in threads of two processes that compete."""
    with in_memory() as folder, sqlite_database(folder) as sqlite:
        on_sqlite = written(sqlite, count)
    with postgres_database() as postgresql:
        return total(on_sqlite, written(postgresql, count))


def written(database: Database, count: int) -> Outcome:
    began = time.monotonic()
    errors = run_together(write_together, PROCESSES, url_of(database), WRITERS // PROCESSES, count)
    seconds = time.monotonic() - began
    with database.snapshot() as session:
        rows = int(session.execute(text("SELECT count(*) FROM calls")).scalar_one())
    wrong = [error for process in errors for error in process]
    name = database.engine.dialect.name
    return Outcome(
        rows - len(wrong), WRITERS * count, "; ".join([f"{name}: {rows} rows in {seconds:.0f} s", *wrong[:3]])
    )


DATABASE_AWAY = Row(
    10,
    "The database is away for 60 s with calls in work and waiting: problem+json 503 meanwhile, back within "
    "10 s, no call stuck",
    CALLS,
    lose_the_database,
)
MANY_WRITERS = Row(
    19,
    "50 writers of 100 transactions each, on SQLite and on PostgreSQL: no error, every row",
    100,
    write_at_once,
    short=10,
)
