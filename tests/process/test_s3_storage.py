"""The service with its recordings in a bucket: in over HTTP, out with the call, nothing of broken uploads."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.service import Service, running, start, tone, wait_until, write_script
from tests.storage.s3_server import S3Server, s3_server

MB = 2**20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    with s3_server(tmp_path / "s3") as server:
        yield server


def settings(server: S3Server, tmp_path: Path) -> dict[str, str]:
    return {**server.settings, "work_dir": str(tmp_path / "work")}


def half_an_upload(service: Service) -> socket.socket:
    """A connection on which a form began and then nothing comes."""
    head = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
    body = head + tone(300)
    connection = socket.create_connection(("127.0.0.1", service.port))
    connection.sendall(
        b"POST /transcribe HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: %d\r\n\r\n" % (len(body) + 1000)
    )
    connection.sendall(body)
    return connection


def working_files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "work").rglob("*") if path.is_file()]


def test_a_recording_goes_into_the_bucket_and_out_with_its_call(server: S3Server, tmp_path: Path) -> None:
    write_script(tmp_path)
    with running(tmp_path, **settings(server, tmp_path)) as service:
        answer = service.transcribe(tone(200), call_id="CALL-1")
        assert answer.status_code == 200, answer.text
        assert answer.json()["transcript"].startswith("that is too expensive for us")
        assert len(server.objects()) == 1
        replayed = service.transcribe(tone(200), call_id="CALL-1")
        assert replayed.headers["idempotent-replayed"] == "true"
        assert service.transcribe(b"no audio at all", call_id="CALL-2").status_code in (415, 422)
        assert len(server.objects()) == 1
        assert not (tmp_path / "data").exists()
        assert working_files(tmp_path) == []
        assert service.delete("/calls/CALL-1").status_code == 204
        assert server.objects() == []


def test_an_upload_that_breaks_off_leaves_nothing(server: S3Server, tmp_path: Path) -> None:
    write_script(tmp_path)
    with running(tmp_path, **settings(server, tmp_path)) as service:
        connection = half_an_upload(service)
        wait_until(lambda: server.unfinished_uploads() == 1, "the first part to arrive")
        connection.close()
        wait_until(lambda: server.unfinished_uploads() == 0, "the upload to be ended")
        assert server.objects() == []


def test_a_service_that_is_killed_leaves_no_object(server: S3Server, tmp_path: Path) -> None:
    write_script(tmp_path)
    service = start(tmp_path, **settings(server, tmp_path))
    wait_until(lambda: service.get("/ready").status_code == 200, "the service to be ready")
    with half_an_upload(service):
        wait_until(lambda: server.unfinished_uploads() == 1, "the first part to arrive")
        service.kill()
    assert server.objects() == []
    assert working_files(tmp_path) == []


def test_a_missing_bucket_is_named_and_a_call_refused(server: S3Server, tmp_path: Path) -> None:
    write_script(tmp_path)
    wrong = {**settings(server, tmp_path), "storage_url": "s3://not-there"}
    with running(tmp_path, wait_ready=False, **wrong) as service:
        ready = service.get("/ready")
        assert ready.status_code == 503
        assert ready.json()["checks"]["storage"].startswith("the bucket does not exist")
        wait_until(lambda: service.transcribe(tone(1)).json().get("code") != "stt_unavailable", "an engine")
        answer = service.transcribe(tone(1))
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
