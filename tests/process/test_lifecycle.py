"""Holds, customers and what is gone, over HTTP."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest

from tests.process.service import Service, running, start, tone, wait_until, write_script

WORDS = "that is too expensive for us um said Pelikan"


def patch(service: Service, path: str, **body: Any) -> httpx.Response:
    return httpx.patch(f"{service.url}{path}", json=body, timeout=30)


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def send(service: Service, call_id: str, pitch: float = 440, **fields: str) -> dict[str, Any]:
    answer = service.transcribe(tone(2, pitch), call_id=call_id, customer_id="cust-1", **fields)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def delete_customer(service: Service, customer: str) -> dict[str, Any]:
    answer = service.delete(f"/calls?customer_id={customer}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def grown_older(folder: Path, days: int) -> None:
    """Let all calls have come in so many days earlier; the service is not running."""
    with sqlite3.connect(folder / "calls.db") as database:
        at = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S.%f")
        database.execute("UPDATE calls SET created_at = ?", (at,))
    database.close()


@pytest.fixture
def service(plain: Service) -> Iterator[Service]:
    """Without a call, before and after, though calls were held meanwhile."""
    yield plain
    for item in plain.get("/calls?legal_hold=true&limit=200").json()["items"]:
        assert patch(plain, f"/calls/{item['call_id']}", legal_hold=False).status_code == 200


def test_a_held_call_stays_until_it_is_released(service: Service) -> None:
    write_script(service.folder, WORDS)
    assert send(service, "CALL-1")["legal_hold"] is False
    send(service, "CALL-2", 500)
    held = patch(service, "/calls/CALL-1", legal_hold=True)
    assert held.status_code == 200
    assert held.json() == service.get("/calls/CALL-1").json()
    assert held.json()["legal_hold"] is True
    listed = [item["call_id"] for item in service.get("/calls?legal_hold=true").json()["items"]]
    assert listed == ["CALL-1"]
    others = [item["call_id"] for item in service.get("/calls?legal_hold=false").json()["items"]]
    assert others == ["CALL-2"]
    assert code(service.delete("/calls/CALL-1")) == (409, "legal_hold")
    assert delete_customer(service, "cust-1") == {"customer_id": "cust-1", "deleted": 1, "held": 1}
    assert len(service.stored_files()) == 1
    assert code(patch(service, "/calls/nowhere", legal_hold=True)) == (404, "call_not_found")
    assert code(patch(service, "/calls/CALL-1")) == (422, "validation_error")
    assert code(patch(service, "/calls/CALL-1", legal_hold=False, status="failed"))[0] == 422
    assert patch(service, "/calls/CALL-1", legal_hold=False).json()["legal_hold"] is False
    assert delete_customer(service, "cust-1") == {"customer_id": "cust-1", "deleted": 1, "held": 0}
    assert service.stored_files() == []
    assert delete_customer(service, "cust-1") == {"customer_id": "cust-1", "deleted": 0, "held": 0}
    for query in ("", "?customer_id=", "?customer_id=a/b", "?customer_id=a&agent_id=b"):
        assert code(service.delete(f"/calls{query}")) == (422, "validation_error")


def test_a_held_call_that_failed_is_not_begun_anew_with_another_recording(service: Service) -> None:
    write_script(service.folder, faults=[{"do": "crash"}])
    assert service.transcribe(tone(), call_id="CALL-1").json()["code"] == "worker_lost"
    patch(service, "/calls/CALL-1", legal_hold=True)
    write_script(service.folder)
    assert code(service.transcribe(tone(pitch=500), call_id="CALL-1")) == (409, "legal_hold")
    assert len(service.stored_files()) == 1
    assert service.get("/calls/CALL-1").json()["error"]["code"] == "worker_lost"
    patch(service, "/calls/CALL-1", legal_hold=False)
    assert service.transcribe(tone(pitch=500), call_id="CALL-1").status_code == 200
    assert len(service.stored_files()) == 1


def test_words_and_recordings_that_are_too_old_go_at_the_next_start(tmp_path: Path) -> None:
    write_script(tmp_path, WORDS)
    with running(tmp_path) as service:
        before = send(service, "CALL-1", metadata='{"note": "Pelikan"}')
        send(service, "CALL-2", 500)
        patch(service, "/calls/CALL-2", legal_hold=True)
        metrics = service.get("/calls/CALL-1/metrics").json()
    assert before["moments"]
    assert any(filler["text"] == "um" for filler in metrics["fillers"])
    grown_older(tmp_path, 31)
    with running(tmp_path, audio_retention_days="30", text_retention_days="30") as service:
        wait_until(lambda: service.get("/calls/CALL-1").json()["audio_deleted_at"] is not None, "the sweep")
        wait_until(lambda: len(service.stored_files()) == 1, "the bytes to be gone")
        _text_is_gone(service, before, metrics)
        held = service.get("/calls/CALL-2").json()
        assert (held["transcript"], held["text_deleted_at"], held["audio_deleted_at"]) == (WORDS, None, None)
        assert service.get("/calls/CALL-2/transcript").status_code == 200
        replayed = service.transcribe(tone(2, 440), call_id="CALL-1", customer_id="cust-1")
        assert replayed.headers["idempotent-replayed"] == "true"
        assert replayed.json()["text_deleted_at"]


def _text_is_gone(service: Service, before: dict[str, Any], metrics: dict[str, Any]) -> None:
    after = service.get("/calls/CALL-1").json()
    assert after["text_deleted_at"] is not None
    assert (after["transcript"], after["segments"], after["metadata"]) == ("", [], {})
    assert after["no_speech"] is False
    assert after["status"] == before["status"]
    kept = ("id", "type", "subtype", "confidence", "role", "rule")
    for was, now in zip(before["moments"], after["moments"], strict=True):
        assert [now[field] for field in kept] == [was[field] for field in kept]
        times = {"start_time": was["evidence"]["start_time"], "end_time": was["evidence"]["end_time"]}
        assert now["evidence"] == {"text": "", "start_char": 0, "end_char": 0, **times}
        assert (now["segment"], now["speaker"]) == (None, None)
    wordless = {**metrics, "fillers": [{**filler, "text": ""} for filler in metrics["fillers"]]}
    assert service.get("/calls/CALL-1/metrics").json() == wordless
    assert after["metrics"] == wordless
    for path in ("transcript", "transcript?format=srt", "transcript?format=txt"):
        assert code(service.get(f"/calls/CALL-1/{path}")) == (410, "text_deleted")
    assert code(service.get("/calls/CALL-1?format=aws")) == (410, "text_deleted")
    assert code(service.post("/replay", json={"call_id": "CALL-1"})) == (410, "text_deleted")
    names = {"speakers": {"speaker_0": {"name": "Ada"}}}
    assert code(patch(service, "/calls/CALL-1/speakers", **names)) == (410, "text_deleted")
    for table in ("/calls.csv", "/moments.csv"):
        rows = service.get(f"{table}?customer_id=cust-1")
        assert "CALL-1" in rows.text
        assert "Pelikan" not in rows.text


def test_a_customer_gets_all_that_is_kept(service: Service) -> None:
    write_script(service.folder, WORDS)
    recordings = {}
    for number, call_id in enumerate(("a:b..c", "A_b__c", "CALL-3")):
        recordings[call_id] = tone(2, 400 + number)
        send(service, call_id, 400 + number, vocabulary="Pelikan", metadata='{"k": "v"}')
    service.transcribe(tone(2, 900), call_id="OTHER", customer_id="cust-2")
    patch(service, "/calls/a:b..c/speakers", speakers={"speaker_0": {"name": "Ada"}})
    patch(service, "/calls/CALL-3", legal_hold=True)
    answer = service.get("/calls.zip?customer_id=cust-1")
    assert answer.headers["content-type"] == "application/zip"
    archive = ZipFile(BytesIO(answer.content))
    assert archive.testzip() is None
    names = archive.namelist()
    assert len({name.lower() for name in names}) == len(names)
    manifest = json.loads(archive.read("manifest.json"))
    assert names[-1] == "manifest.json"
    assert [call["call_id"] for call in manifest["calls"]] == list(recordings)
    told = [file for call in manifest["calls"] for file in (*call["files"], call["recording"]["file"])]
    assert {*told, "manifest.json"} == set(names)
    for call in manifest["calls"]:
        folder = call["files"][0].rpartition("/")[0]
        shown = service.get(f"/calls/{call['call_id']}").json()
        assert json.loads(archive.read(f"{folder}/call.json")) == shown
        assert json.loads(archive.read(f"{folder}/request.json"))["vocabulary"] == ["Pelikan"]
        assert call["recording"]["file"] == f"{folder}/recording.wav"
        assert archive.read(call["recording"]["file"]) == recordings[call["call_id"]]
    edited = json.loads(archive.read(f"{names[0].rpartition('/')[0]}/version_2.json"))
    assert (edited["is_current"], edited["edited_from"]) == (True, 1)
    assert edited["edits"] == [{"kind": "NameSpeaker", "speaker": "speaker_0", "name": "Ada"}]
    assert edited["result"]["transcript"] == WORDS
    empty = ZipFile(BytesIO(service.get("/calls.zip?customer_id=nobody").content))
    assert json.loads(empty.read("manifest.json"))["calls"] == []
    assert code(service.get("/calls.zip")) == (422, "validation_error")


def test_a_recording_that_somebody_removed_is_missed_and_found_again(tmp_path: Path) -> None:
    write_script(tmp_path, WORDS)
    with running(tmp_path) as service:
        send(service, "CALL-1")
    (recording,) = (tmp_path / "data" / "audio").rglob("?" * 32)
    recording.rename(tmp_path / "elsewhere")
    with running(tmp_path) as service:

        def warnings() -> list[str]:
            return [warning["code"] for warning in service.get("/calls/CALL-1").json()["warnings"]]

        wait_until(lambda: "audio_missing" in warnings(), "the comparison")
        archive = ZipFile(BytesIO(service.get("/calls.zip?customer_id=cust-1").content))
        assert json.loads(archive.read("manifest.json"))["calls"][0]["recording"] is None
    (tmp_path / "elsewhere").rename(recording)
    with running(tmp_path) as service:
        wait_until(lambda: "audio_missing" not in warnings(), "the comparison")


@pytest.mark.parametrize("setting", ["audio_retention_days", "text_retention_days"])
def test_a_retention_of_no_days_stops_the_start(tmp_path: Path, setting: str) -> None:
    write_script(tmp_path)
    with pytest.raises(AssertionError, match=setting.upper()):
        start(tmp_path, **{setting: "0"})
