"""Work that is stopped, and work that is done again: nothing is lost of what was there."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process.service import Service, running, tone, wait_until, write_script
from tests.services.webhooks.receiver import receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HANGING = [{"do": "sleep", "seconds": 600}]
STATE = {"status", "stage", "error", "percent", "queue_position", "attempts"}
"""What a rerun may alter of a call before it is complete."""


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def slow_ffmpeg(folder: Path) -> Path:
    """A decoder that never comes to an end."""
    path = folder / "ffmpeg"
    path.write_text("#!/bin/sh\nsleep 600\n")
    path.chmod(0o755)
    return path


def stored_rows(folder: Path) -> dict[str, list[Any]]:
    with sqlite3.connect(f"file:{folder}/calls.db?mode=ro", uri=True) as database:
        tables = ("calls", "checkpoints", "results", "segments", "moments")
        return {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


def is_said(service: Service, event: str) -> bool:
    return any(line["event"] == event for line in service.log_lines())


@pytest.mark.parametrize("stage", ["queued", "decode", "transcribe"])
def test_a_cancelled_call_stops_and_writes_nothing_more(tmp_path: Path, stage: str) -> None:
    write_script(tmp_path, faults=HANGING)
    settings = {"webhook_secret": SECRET, "webhook_allowed_hosts": "127.0.0.1", "max_concurrent_calls": "1"}
    if stage == "decode":
        settings["ffmpeg_path"] = str(slow_ffmpeg(tmp_path))
    with receiving() as receiver, running(tmp_path, stop_grace_s="0", **settings) as service:
        if stage == "queued":
            service.submit(tone(pitch=300), call_id="FIRST")
            service.wait_for_stage("FIRST")
        service.submit(tone(), call_id="CALL-1", webhook_url=receiver.url())
        if stage != "queued":
            service.wait_for_stage("CALL-1", stage)
        answer = service.post("/calls/CALL-1/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        rows = stored_rows(tmp_path)
        assert code(service.post("/calls/CALL-1/cancel")) == (409, "call_finished")
        if stage == "queued":
            service.post("/calls/FIRST/cancel")
        wait_until(lambda: is_said(service, "call.gone"), "the work to stop")
        # Whoever worked on it is free for the next one.
        write_script(tmp_path)
        if stage == "transcribe":
            assert service.transcribe(tone(pitch=500), call_id="CALL-2").status_code == 200
        wait_until(lambda: len(receiver.received) == 1, "the message")
        assert b'"type":"call.cancelled"' in receiver.received[0].body
        left = [row for row in stored_rows(tmp_path)["calls"] if row[0] == "CALL-1"]
        assert left == [row for row in rows["calls"] if row[0] == "CALL-1"]
        shown = service.call("CALL-1")
        assert (shown["status"], shown["segments"], shown["error"]) == ("cancelled", [], None)
        assert len(receiver.received) == 1
    assert not list((tmp_path / "data" / "scratch").glob("*/*.pcm"))


def test_a_client_that_waits_for_a_call_that_is_cancelled_is_told(tmp_path: Path) -> None:
    from tests.process.test_crashes import in_background

    write_script(tmp_path, faults=HANGING)
    with running(tmp_path) as service:
        answers: list[httpx.Response] = []
        waiting = in_background(lambda: answers.append(service.transcribe(tone(), call_id="CALL-1")))
        service.wait_for_stage("CALL-1")
        assert service.post("/calls/CALL-1/cancel").status_code == 200
        waiting.join(60)
        assert code(answers[0]) == (409, "call_cancelled")
        # At once again, while the first work may not have noticed: it is another one.
        write_script(tmp_path)
        answer = service.transcribe(tone(), call_id="CALL-1")
        assert (answer.status_code, answer.json()["status"]) == (200, "completed")
        assert code(service.post("/calls/nobody/cancel")) == (404, "call_not_found")


def test_a_failed_diarization_leaves_the_words_and_is_done_again_alone(tmp_path: Path) -> None:
    write_script(tmp_path)
    # One channel, and nobody who takes that.
    with running(tmp_path, diarization_provider="channel") as service:
        answer = service.transcribe(tone(), call_id="CALL-1")
        assert (answer.status_code, answer.json()["status"]) == (200, "completed_with_warnings")
        assert answer.json()["transcript"] == "that is too expensive for us"
        assert ("diarization", "diarization_unavailable") in {
            (warning["stage"], warning["code"]) for warning in answer.json()["warnings"]
        }
    with running(tmp_path, diarization_provider="channel,pauses") as service:
        again = service.post("/calls/CALL-1/rerun")
        assert (again.status_code, again.headers["location"]) == (202, "/calls/CALL-1")
        assert again.json()["status"] in ("queued", "processing")
        after = service.wait_for("CALL-1")
        assert (after["status"], after["engines"]["diarization"]) == ("completed", "pauses")
        assert after["transcript"] == answer.json()["transcript"]
        assert "diarization_unavailable" not in {warning["code"] for warning in after["warnings"]}
        assert service.times_done("transcribe", "CALL-1") == 1
        assert service.times_done("diarization", "CALL-1") == 2


def test_a_rerun_that_fails_or_is_cancelled_leaves_what_was_there(tmp_path: Path) -> None:
    write_script(tmp_path, "the first words of all")
    exports = ("/transcript?format=json", "/transcript?format=vtt", "/metrics", "?format=aws")
    with running(tmp_path, stop_grace_s="0") as service:
        service.transcribe(tone(), call_id="CALL-1")
        before = service.call("CALL-1")
        served = {path: service.get(f"/calls/CALL-1{path}").content for path in exports}

        def check_unharmed() -> dict[str, Any]:
            now = service.call("CALL-1")
            changed = {name for name in now if now[name] != before[name]}
            assert changed <= STATE
            assert {path: service.get(f"/calls/CALL-1{path}").content for path in exports} == served
            return now

        write_script(tmp_path, "other words", faults=[{"do": "sleep", "seconds": 2}, {"do": "raise"}])
        assert service.post("/calls/CALL-1/rerun", json={"from": "transcription"}).status_code == 202
        service.wait_for_stage("CALL-1")
        assert check_unharmed()["status"] == "processing"
        assert code(service.post("/calls/CALL-1/rerun")) == (409, "call_unfinished")
        service.wait_for("CALL-1")
        failed = check_unharmed()
        assert (failed["status"], failed["percent"]) == ("completed", 100)
        assert (failed["error"]["code"], failed["error"]["stage"]) == ("stt_failed", "transcribe")
        replayed = service.transcribe(tone(), call_id="CALL-1")
        assert (replayed.status_code, replayed.headers["idempotent-replayed"]) == (200, "true")

        write_script(tmp_path, "other words", faults=HANGING)
        service.post("/calls/CALL-1/rerun")
        service.wait_for_stage("CALL-1")
        assert service.post("/calls/CALL-1/cancel").json()["status"] == "completed"
        assert check_unharmed()["error"] is None

        write_script(tmp_path, "other words")
        service.post("/calls/CALL-1/rerun")
        assert service.wait_for("CALL-1")["transcript"] == "other words"


def test_what_cannot_be_done_again_is_refused(tmp_path: Path) -> None:
    write_script(tmp_path)
    with running(tmp_path) as service:
        assert code(service.post("/calls/nobody/rerun")) == (404, "call_not_found")
        service.transcribe(tone()[:44], call_id="CALL-1")
        assert code(service.post("/calls/CALL-1/rerun")) == (409, "audio_gone")
        for body in ({"from": "decode"}, {"start": "broken"}, []):
            assert code(service.post("/calls/CALL-1/rerun", json=body)) == (422, "validation_error")
