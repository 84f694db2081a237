"""Every row of the table of bad input, against one running service that stays healthy and keeps no file."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process.service import Service, running, tone, wav, write_script

KEYS = {"type", "title", "status", "detail", "instance", "code", "request_id"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("bad-input")
    write_script(folder)
    with running(folder, max_upload_size_mb="2", max_audio_minutes="0.5", max_tts_chars="100") as service:
        yield service


@pytest.fixture(autouse=True)
def _nothing_left(service: Service) -> Iterator[None]:
    yield
    assert service.get("/health").status_code == 200
    assert service.stored_files() == []


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) >= KEYS
    assert body["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    assert str(Path.home()) not in answer.text
    return body


def rate_header(rate: int) -> bytes:
    return wav(b"\0\0" * 8000)[:24] + struct.pack("<II", rate, rate * 2) + wav(b"\0\0" * 8000)[32:]


def test_no_file_and_an_empty_file(service: Service) -> None:
    assert_problem(service.post("/transcribe"), 422, "empty_audio")
    assert_problem(service.post("/transcribe", data={"call_id": "x"}), 422, "empty_audio")
    assert_problem(service.post("/transcribe", json={"audio": "x"}), 422, "empty_audio")
    assert_problem(service.transcribe(b""), 422, "empty_audio")


FOREIGN = {
    "hls": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n",
    "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "dash": b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    "sdp": b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n",
    "script": b"#!/bin/sh\necho hello\n",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    "html": b"<!DOCTYPE html><html><body>hello</body></html>",
    "zip": b"PK\x03\x04" + b"\0" * 100,
    "elf": b"\x7fELF\x02\x01\x01" + b"\0" * 100,
    "png": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\0" * 100,
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("filename", ["call.wav", "call.mp3"])
def test_other_things_dressed_as_audio(service: Service, name: str, filename: str) -> None:
    files = {"audio": (filename, FOREIGN[name], "audio/wav")}
    assert_problem(service.post("/transcribe", files=files), 415, "unsupported_media")


@pytest.mark.parametrize(
    "content",
    [
        bytes((7 * at * at + 13 * at) % 251 for at in range(40_000)),
        tone(1)[44:],
        wav(b""),
        b"RIFF\x24\x00\x00\x00WAVE",
        b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\0" * 5000,
        b"hello, this is no audio at all\n" * 100,
    ],
    ids=["noise", "headerless", "no samples", "cut header", "empty mp3", "text"],
)
def test_what_cannot_be_decoded(service: Service, content: bytes) -> None:
    assert_problem(service.transcribe(content), 422, "undecodable_audio")


def test_name_and_type_never_decide(service: Service) -> None:
    files = {"audio": ("movie.mp3", tone(pitch=333), "video/mp4")}
    answer = service.post("/transcribe", files=files, data={"call_id": "REAL"})
    assert answer.status_code == 200
    assert service.delete("/calls/REAL").status_code == 204


def test_an_upload_over_the_limit(service: Service) -> None:
    assert_problem(service.transcribe(wav(b"\1\0" * 1_100_000)), 413, "upload_too_large")
    assert_problem(service.transcribe(b"x" * 20_000_000), 413, "upload_too_large")

    def chunked() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
        for _ in range(400):
            yield b"x" * 50_000

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert_problem(service.post("/transcribe", content=chunked(), headers=headers), 413, "upload_too_large")


def test_a_declared_length_over_the_limit_is_refused_before_anything_is_read(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        client.sendall(
            b"POST /transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\nExpect: 100-continue\r\n\r\n"
        )
        head = client.recv(4096)
    assert head.startswith(b"HTTP/1.1 413 ")


def test_a_recording_that_is_too_long_or_has_an_odd_rate(service: Service) -> None:
    assert_problem(service.transcribe(tone(31, rate=8000)), 413, "audio_too_long")
    assert_problem(service.transcribe(rate_header(1)), 422, "unsupported_rate")
    assert_problem(service.transcribe(rate_header(400_000)), 422, "unsupported_rate")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("call_id", "a/b"),
        ("call_id", ".."),
        ("call_id", "x" * 129),
        ("agent_id", "a b"),
        ("team_id", "a b"),
        ("customer_id", "ü"),
        ("language", "english"),
        ("language", "zz"),
        ("started_at", "yesterday"),
        ("direction", "sideways"),
        ("metadata", "{not json"),
        ("metadata", '["list"]'),
        ("metadata", '{"number": 5}'),
        ("metadata", '{"nul": "\\u0000"}'),
        ("callid", "x"),
    ],
)
def test_a_bad_field_is_named(service: Service, field: str, value: str) -> None:
    body = assert_problem(service.transcribe(tone(), **{field: value}), 422, "validation_error")
    assert [error["field"].split(".")[0] for error in body["errors"]] == [field]


def test_bad_json_and_texts_that_cannot_be_spoken(service: Service) -> None:
    json_header = {"Content-Type": "application/json"}
    for path in ("/speak", "/replay"):
        body = assert_problem(
            service.post(path, content=b"{oops", headers=json_header), 422, "validation_error"
        )
        assert body["errors"][0]["field"] == "body"
    for text in ("", "   ", "x" * 101):
        body = assert_problem(service.post("/speak", json={"text": text}), 422, "validation_error")
        assert body["errors"][0]["field"] == "text"
    for field, value in (("format", "ogg"), ("language", "klingon"), ("voice", "x")):
        body = assert_problem(
            service.post("/speak", json={"text": "hello", field: value}), 422, "validation_error"
        )
        assert body["errors"][0]["field"] == field


def test_calls_that_are_not_there_or_have_nothing_to_replay(service: Service) -> None:
    assert_problem(service.get("/calls/NONE"), 404, "call_not_found")
    assert_problem(service.delete("/calls/NONE"), 404, "call_not_found")
    assert_problem(service.post("/replay", json={"call_id": "NONE"}), 404, "call_not_found")
    write_script(service.folder, "we met on the second floor")
    assert service.transcribe(tone(pitch=222), call_id="PLAIN").status_code == 200
    assert_problem(service.post("/replay", json={"call_id": "PLAIN"}), 404, "no_coachable_moments")
    write_script(service.folder)
    assert service.delete("/calls/PLAIN").status_code == 204
    assert_problem(service.delete("/calls/PLAIN"), 404, "call_not_found")


def test_a_failed_call_cannot_be_replayed_and_frees_its_id(service: Service) -> None:
    assert_problem(service.transcribe(wav(b""), call_id="BROKEN"), 422, "undecodable_audio")
    left = service.get("/calls/BROKEN").json()
    assert (left["status"], left["error"]["code"]) == ("failed", "undecodable_audio")
    assert_problem(service.post("/replay", json={"call_id": "BROKEN"}), 409, "call_not_ready")
    assert service.transcribe(tone(), call_id="BROKEN").status_code == 200
    assert_problem(service.transcribe(tone(pitch=900), call_id="BROKEN"), 409, "call_exists")
    assert service.delete("/calls/BROKEN").status_code == 204


def test_lists_refuse_what_they_cannot_do(service: Service) -> None:
    for query, field in (
        ("limit=201", "limit"),
        ("limit=0", "limit"),
        ("cursor=nonsense", "cursor"),
        ("status=odd", "status"),
        ("moment_type=odd", "moment_type"),
        ("date_from=soon", "date_from"),
        ("agent=x", "agent"),
    ):
        body = assert_problem(service.get(f"/calls?{query}"), 422, "validation_error")
        assert body["errors"][0]["field"] == field


def test_framework_errors(service: Service) -> None:
    assert_problem(service.get("/nowhere"), 404, "not_found")
    assert_problem(service.get("/transcribe"), 405, "method_not_allowed")
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert_problem(service.post("/transcribe", content=b"rubbish", headers=headers), 400, "malformed_request")


def test_too_many_parts_a_huge_field_a_huge_header_are_refused_quickly(service: Service) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    part = b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n'
    many = b"".join(part % number for number in range(10_000)) + b"--b--\r\n"
    assert_problem(service.post("/transcribe", content=many, headers=headers), 400, "malformed_request")
    field = b'--b\r\nContent-Disposition: form-data; name="notes"\r\n\r\n' + b"x" * 2_500_000
    assert_problem(service.post("/transcribe", content=field, headers=headers), 413, "upload_too_large")
    head = b"--b\r\nContent-Disposition: form-data; name=" + b"x" * 1_000_000
    assert_problem(service.post("/transcribe", content=head, headers=headers), 400, "malformed_request")


def test_a_request_id_that_is_hostile_is_replaced(service: Service) -> None:
    answer = service.get("/health", headers={"X-Request-ID": "x" * 10_000})
    assert len(answer.headers["x-request-id"]) == 32


def test_slow_clients_are_closed_while_others_are_served(tmp_path: Path) -> None:
    write_script(tmp_path)
    with running(tmp_path, upload_timeout_s="2") as service:
        part = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'
        head = (
            b"POST /transcribe HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n%x\r\n%s\r\n" % (len(part), part)
        )
        slow = [socket.create_connection(("127.0.0.1", service.port), timeout=60) for _ in range(50)]
        for client in slow:
            client.sendall(head)
        for _ in range(10):
            for client in slow:
                _drip(client)
            time.sleep(0.3)
        statuses = []
        assert service.transcribe(tone(), call_id="QUICK").status_code == 200
        for client in slow:
            statuses.append(client.recv(100).split(b"\r\n")[0])
            client.close()
        assert statuses == [b"HTTP/1.1 408 Request Timeout"] * 50
        assert len(service.stored_files()) == 1


def _drip(client: socket.socket) -> None:
    try:
        client.sendall(b"1\r\nx\r\n")
    except OSError:
        return  # it was closed already, which is what is asserted afterwards
