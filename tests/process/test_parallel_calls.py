"""Many calls at once, in several processes, on both databases: each finishes, each is itself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.db.databases import postgres_url
from tests.process.service import Service, environment, running, tone, write_script


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/calls.db"
        return
    with postgres_url() as url:
        yield url


def migrate(folder: Path, database_url: str) -> None:
    import subprocess
    import sys

    subprocess.run(
        [sys.executable, "-m", "app", "migrate"],
        env=environment(folder, database_url=database_url),
        check=True,
    )


def test_twenty_parallel_calls_over_two_processes_all_finish(tmp_path: Path, database_url: str) -> None:
    write_script(tmp_path)
    migrate(tmp_path, database_url)
    with running(tmp_path, workers=2, database_url=database_url, max_queued_calls="30") as service:

        def send(number: int) -> httpx.Response:
            return service.transcribe(tone(1, 300 + 10 * number), call_id=f"CALL-{number}", agent_id="a")

        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(send, range(20)))
        assert [answer.status_code for answer in answers] == [200] * 20
        assert {answer.json()["call_id"] for answer in answers} == {f"CALL-{number}" for number in range(20)}
        assert all(answer.json()["segments"] for answer in answers)
        listed = service.get("/calls?agent_id=a&limit=200").json()["items"]
        assert len(listed) == 20
        assert {item["status"] for item in listed} == {"completed"}
        assert len(service.recordings()) == 20


def test_the_same_call_sent_at_once_is_transcribed_once(tmp_path: Path, database_url: str) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 1}])
    migrate(tmp_path, database_url)
    with running(tmp_path, workers=2, database_url=database_url) as service:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: service.transcribe(tone(), call_id="CALL-1"), range(8)))
        assert [answer.status_code for answer in answers] == [200] * 8
        assert len({answer.json()["completed_at"] for answer in answers}) == 1
        assert transcriptions(service) == 1
        assert len(service.recordings()) == 1
        replayed = service.transcribe(tone(), call_id="CALL-1")
        assert replayed.headers["idempotent-replayed"] == "true"
        assert replayed.json() == answers[0].json()
        other = service.transcribe(tone(), call_id="CALL-1", language="en")
        assert (other.status_code, other.json()["code"]) == (409, "call_exists")
        assert len(service.recordings()) == 1
        assert transcriptions(service) == 1


def transcriptions(service: Service) -> int:
    return sum(
        1 for line in service.log_lines() if line["event"] == "stage.ended" and line["stage"] == "transcribe"
    )


def test_more_calls_than_there_is_room_for_are_told_to_come_back(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 1}])
    with running(tmp_path, max_concurrent_calls="1", max_queued_calls="1") as service:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: service.transcribe(tone(1, 300 + 10 * n)), range(8)))
        statuses = [answer.status_code for answer in answers]
        assert statuses.count(200) >= 2
        assert set(statuses) == {200, 503}
        busy = next(answer for answer in answers if answer.status_code == 503)
        assert busy.json()["code"] == "busy"
        assert int(busy.headers["retry-after"]) > 0
        assert len(service.recordings()) == statuses.count(200)
        assert len(service.get("/calls").json()["items"]) == statuses.count(200)
