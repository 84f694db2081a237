"""Far more calls than can be worked on: each is taken in and finished, or told when to come back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.process.service import running, tone, write_script
from tests.process.test_async_calls import database_url
from tests.process.test_parallel_calls import migrate

__all__ = ["database_url"]

SUBMISSIONS = 200
AT_ONCE = 10
QUEUED = 10


def test_what_there_is_no_room_for_is_told_so_and_nothing_is_lost(tmp_path: Path, database_url: str) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 0.3}])
    migrate(tmp_path, database_url)
    recordings = [tone(0.6, 300 + number) for number in range(AT_ONCE)]
    settings = {"database_url": database_url, "max_queued_calls": str(QUEUED), "max_concurrent_calls": "2"}
    with running(tmp_path, **settings) as service:
        with httpx.Client(base_url=service.url, timeout=60) as client, ThreadPoolExecutor(AT_ONCE) as pool:

            def submit(number: int) -> httpx.Response:
                files = {"audio": recordings[number % AT_ONCE]}
                return client.post("/calls", files=files, data={"call_id": f"CALL-{number}"})

            answers = list(pool.map(submit, range(SUBMISSIONS)))
        taken = [number for number, answer in enumerate(answers) if answer.status_code == 202]
        refused = [answer for answer in answers if answer.status_code != 202]
        assert len(taken) > QUEUED
        assert len(refused) > SUBMISSIONS / 2
        for answer in refused:
            assert (answer.status_code, answer.json()["code"]) == (503, "busy"), answer.text
            assert int(answer.headers["retry-after"]) > 0
        # A few that were checked at the same time may all find the last place free (PostgreSQL).
        assert max(answers[number].json()["queue_position"] or 0 for number in taken) <= QUEUED + AT_ONCE
        for number in taken:
            assert service.wait_for(f"CALL-{number}")["status"] == "completed"
        assert len(service.get("/calls?limit=200").json()["items"]) == len(taken)
        assert len(service.recordings()) == len(taken)


@pytest.mark.parametrize("path", ["/calls", "/transcribe"])
def test_there_is_room_again_when_a_call_has_ended(tmp_path: Path, path: str) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 60}])
    with running(tmp_path, max_concurrent_calls="1", max_queued_calls="0", stop_grace_s="0") as service:
        service.submit(tone(), call_id="CALL-1")
        service.wait_for_stage("CALL-1")
        refused = service.post(path, files={"audio": tone(pitch=500)}, data={"call_id": "CALL-2"})
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")
        assert service.get("/calls/CALL-2").status_code == 404
        write_script(tmp_path)
        service.post("/calls/CALL-1/cancel")
        again = service.post(path, files={"audio": tone(pitch=500)}, data={"call_id": "CALL-2"})
        assert again.status_code in (200, 202)
        assert service.wait_for("CALL-2")["status"] == "completed"
