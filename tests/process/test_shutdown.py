"""A service that is told to stop: it says so first, answers everybody, and loses nothing."""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from pathlib import Path

import httpx

from tests.process.service import Service, running, tone, wait_until, write_script

LONGEST_STOP_S = 30


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
