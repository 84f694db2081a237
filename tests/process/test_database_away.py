"""A database that goes away in the middle of everything, and comes back."""

from __future__ import annotations

from pathlib import Path

import httpx
from sqlalchemy.engine import make_url

from tests.db.databases import postgres_url
from tests.process.service import Service, running, tone, wait_until, write_script
from tests.process.test_crashes import in_background
from tests.process.test_events import check_progress, follow
from tests.process.test_parallel_calls import migrate
from tests.tcp_proxy import TcpProxy, proxy

A_TENTH = {"heartbeat_s": "1", "lease_s": "3", "reaper_s": "1.5"}


def through(way: TcpProxy, url: str) -> str:
    return make_url(url).set(host="127.0.0.1", port=way.port).render_as_string(hide_password=False)


def check_away(answer: httpx.Response) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (503, "database_unavailable"), answer.text
    assert int(answer.headers["retry-after"]) > 0
    for word in ("Traceback", "SELECT", "psycopg", "port"):
        assert word not in answer.text


def test_a_database_that_is_away_costs_no_call(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 3}])
    with postgres_url() as url:
        address = make_url(url)
        assert address.host
        with proxy(address.host, address.port or 5432) as way:
            migrate(tmp_path, url)
            with running(tmp_path, database_url=through(way, url), **A_TENTH) as service:
                go_through_it(service, way)


def go_through_it(service: Service, way: TcpProxy) -> None:
    waited_for: list[httpx.Response] = []
    for number in range(4):
        assert service.submit(tone(pitch=300 + number), call_id=f"CALL-{number}").status_code == 202
    waiting = in_background(lambda: waited_for.append(service.transcribe(tone(), call_id="CALL-4")))
    wait_until(lambda: len(service.get("/calls").json()["items"]) == 5, "all calls to be taken in")
    service.wait_for_stage("CALL-0")
    followed, events = follow(service, "CALL-3")

    way.cut()
    for _ in range(3):
        check_away(service.get("/calls"))
        check_away(service.get("/calls/CALL-0"))
        check_away(service.submit(tone(pitch=900), call_id="NEW"))
        check_away(service.transcribe(tone(pitch=900), call_id="NEW"))
        check_away(service.post("/calls/CALL-3/cancel"))
        check_away(service.get("/calls/CALL-0/events"))
        assert service.get("/health").status_code == 200
        ready = service.get("/ready")
        assert (ready.status_code, ready.json()["checks"]["database"]) == (
            503,
            "The database cannot be reached",
        )
    # Longer than the lease: whoever works on a call still does, and nobody else begins it.
    wait_until(lambda: service.times_done("transcribe", "CALL-0") == 1, "the work that was begun to go on")
    way.mend()

    wait_until(lambda: service.get("/ready").status_code == 200, "the service to be ready again")
    assert service.submit(tone(pitch=900), call_id="NEW").status_code == 202
    for call_id in (*(f"CALL-{number}" for number in range(5)), "NEW"):
        assert service.wait_for(call_id)["status"] == "completed"
    waiting.join(60)
    assert [answer.status_code for answer in waited_for] == [200]
    followed.join(60)
    check_progress(events)
    assert len(service.recordings()) == 6
    assert "Traceback" not in (service.folder / "service.log").read_text()
