"""A service that is told to stop: it says so first, answers everybody, and loses nothing."""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from tests.process.service import Service, running, tone, wait_until, write_script

WAITING = 50
READING = 150
LONGEST_STOP_S = 30


class Readers:
    """Many clients that ask for something quick again and again, on connections that they keep, until they
    are told that the service is not ready any more."""

    def __init__(self, service: Service, count: int) -> None:
        self._service = service
        self.not_ready = threading.Event()
        self.answered = [0] * count
        self.dropped: list[str] = []
        self._threads = [threading.Thread(target=self._read, args=(at,), daemon=True) for at in range(count)]
        for thread in self._threads:
            thread.start()

    def _read(self, number: int) -> None:
        connection = HTTPConnection("127.0.0.1", self._service.port, timeout=60)
        while not self.not_ready.is_set():
            try:
                connection.request("GET", "/calls?limit=1")
                answer = connection.getresponse()
                answer.read()
            except OSError as error:
                self.dropped.append(repr(error))
                return
            if answer.status != 200:
                self.dropped.append(str(answer.status))
            self.answered[number] += 1

    def join(self) -> None:
        for thread in self._threads:
            thread.join(60)


def transcribing(service: Service, count: int) -> tuple[list[threading.Thread], list[httpx.Response]]:
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(
            target=lambda at=at: answers.append(service.transcribe(tone(1, 300 + at), call_id=f"CALL-{at}")),
            daemon=True,
        )
        for at in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads, answers


def unfinished(service: Service) -> int:
    return len(service.get("/calls?limit=200").json()["items"])


@pytest.mark.parametrize("workers", [1, 2])
def test_two_hundred_requests_are_answered_before_the_end(tmp_path: Path, workers: int) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 0.5}])
    settings = {"drain_s": "2", "stop_grace_s": "3", "max_queued_calls": str(WAITING)}
    with running(tmp_path, workers=workers, **settings) as service:
        threads, answers = transcribing(service, WAITING)
        wait_until(lambda: unfinished(service) == WAITING, "all calls to be taken in")
        readers = Readers(service, READING)
        wait_until(lambda: all(readers.answered), "all readers to be at it")
        service.process.terminate()
        wait_until(lambda: service.get("/ready").status_code == 503, "the service to say that it stops")
        refused = service.submit(tone())
        assert (refused.status_code, refused.json()["code"]) == (503, "stopping")
        assert int(refused.headers["retry-after"]) > 0
        assert service.get("/health").status_code == 200
        readers.not_ready.set()
        readers.join()
        for thread in threads:
            thread.join(60)
        service.process.wait(LONGEST_STOP_S)
    assert readers.dropped == []
    assert len(answers) == WAITING
    for answer in answers:
        if answer.status_code != 200:
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (503, "interrupted")
            assert int(answer.headers["retry-after"]) > 0
            assert problem["call_id"] in problem["detail"]
    assert {200, 503} == {answer.status_code for answer in answers}
    write_script(tmp_path)
    with running(tmp_path) as again:
        for number in range(WAITING):
            call = again.wait_for(f"CALL-{number}")
            assert (call["status"], call["attempts"]) == ("completed", 1)


def test_a_call_in_work_is_handed_back_when_its_time_is_over_and_not_charged(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 600}])
    with running(tmp_path, stop_grace_s="1") as service:
        (sender,), answers = transcribing(service, 1)
        service.wait_for_stage("CALL-0")
        service.process.terminate()
        service.process.wait(LONGEST_STOP_S)
        sender.join(30)
        assert (answers[0].status_code, answers[0].json()["code"]) == (503, "interrupted")
    write_script(tmp_path)
    with running(tmp_path) as again:
        call = again.wait_for("CALL-0")
        assert (call["status"], call["attempts"]) == ("completed", 1)


def test_an_upload_on_its_way_is_taken_in(tmp_path: Path) -> None:
    write_script(tmp_path)
    form = httpx.Request(
        "POST", "http://service/calls", files={"audio": tone(20)}, data={"call_id": "CALL-1"}
    )
    content = form.read()
    with running(tmp_path) as service:
        connection = HTTPConnection("127.0.0.1", service.port, timeout=60)
        connection.putrequest("POST", "/calls")
        connection.putheader("Content-Type", form.headers["content-type"])
        connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content[:400_000])
        wait_until(lambda: any(tmp_path.glob("data/incoming/*")), "the upload to begin")
        service.process.terminate()
        wait_until(lambda: said(service, "Waiting for connections to close"), "the server to stop")
        connection.send(content[400_000:])
        answer = connection.getresponse()
        assert (answer.status, answer.headers["location"]) == (202, "/calls/CALL-1")
        service.process.wait(LONGEST_STOP_S)
    with running(tmp_path) as again:
        assert again.wait_for("CALL-1")["status"] == "completed"


def said(service: Service, words: str) -> bool:
    return any(words in line["event"] for line in service.log_lines())
