"""The streaming form: whole files or nothing, limits that hold, no name that becomes a path."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request

from app.api.upload import LONGEST_FIELD, MOST_PARTS, Upload, UploadReceiver
from app.core.exceptions import (
    AppError,
    EmptyAudio,
    MalformedRequest,
    UploadTimeout,
    UploadTooLarge,
    ValidationFailed,
)
from app.storage.local import LocalStorage

BOUNDARY = "frontier"
LIMIT = 1024 * 1024
HEAD_BYTES = 1000
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def part(name: str, value: bytes, filename: str | None = None) -> bytes:
    file = f'; filename="{filename}"' if filename is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode("utf-8", "surrogateescape") + value + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def receive(
    storage: LocalStorage,
    chunks: Iterable[bytes],
    *,
    content_type: str = CONTENT_TYPE,
    timeout_s: float = 5,
    pause_s: float = 0,
) -> Upload:
    waiting = list(chunks)

    async def messages() -> dict[str, Any]:
        if pause_s:
            await asyncio.sleep(pause_s)
        if not waiting:
            return {"type": "http.disconnect"}
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": [(b"content-type", content_type.encode("latin-1"))],
    }
    receiver = UploadReceiver(storage, limit=LIMIT, timeout_s=timeout_s, head_bytes=HEAD_BYTES)
    return asyncio.run(receiver.receive(Request(scope, messages)))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Gespräch.wav", "Gespräch.wav"),
        ("a %22b%22.wav", 'a "b".wav'),
        ("C:\\calls\\b.wav", "b.wav"),
        ("a\tb\x00.wav", "ab.wav"),
        ("", None),
        (None, None),
    ],
)
def test_what_a_recording_was_called_is_told(tmp_path: Path, sent: str | None, kept: str | None) -> None:
    upload = receive(LocalStorage(str(tmp_path)), [form(part("audio", b"RIFF....", sent))])
    assert upload.file_name == kept


def assert_refused(tmp_path: Path, kind: type[AppError], chunks: Iterable[bytes], **options: Any) -> AppError:
    with pytest.raises(kind) as caught:
        receive(LocalStorage(str(tmp_path)), chunks, **options)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    return caught.value


@pytest.mark.parametrize("chunk", [1, 7, 1000, 10**9])
def test_fields_and_file_come_in_any_order_and_any_chunks(tmp_path: Path, chunk: int) -> None:
    audio = bytes(range(256)) * (12 if chunk < 10 else 4000)
    body = form(part("call_id", b"CALL-1"), part("audio", audio, "a.wav"), part("language", b"en"))
    storage = LocalStorage(str(tmp_path))
    upload = receive(storage, [body[at : at + chunk] for at in range(0, len(body), chunk)])
    assert upload.fields == {"call_id": "CALL-1", "language": "en"}
    assert upload.audio is not None
    assert (upload.audio.size, upload.audio.sha256) == (len(audio), sha256(audio).hexdigest())
    assert upload.head == audio[: len(upload.head)]
    assert len(upload.head) == min(len(audio), HEAD_BYTES)
    with storage.local_path(upload.audio.key) as path:
        assert path.read_bytes() == audio


@pytest.mark.parametrize(
    "filename",
    [
        "../../etc/passwd",
        "-i x.wav",
        "a\\..\\b.wav",
        "call\u202evaw.exe",
        "x" * 3000,
        "<img src=x onerror=alert(1)>",
        "a;b.wav",
        "con.wav",
        "%2e%2e%2fetc",
        "/absolute.wav",
        "a'b.wav",
        "\x7f.wav",
    ],
)
def test_no_name_from_a_client_becomes_a_path(tmp_path: Path, filename: str) -> None:
    upload = receive(LocalStorage(str(tmp_path)), [form(part("audio", b"RIFF....", filename))])
    assert upload.audio is not None
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files] == [upload.audio.key]
    assert set(upload.audio.key) <= set("0123456789abcdef")


def test_without_a_file_there_is_no_audio(tmp_path: Path) -> None:
    assert receive(LocalStorage(str(tmp_path)), [form(part("call_id", b"x"))]).audio is None
    assert receive(LocalStorage(str(tmp_path)), [form(part("audio", b"", "empty.wav"))]).audio is None


def test_a_body_that_is_no_form(tmp_path: Path) -> None:
    assert_refused(tmp_path, EmptyAudio, [b"{}"], content_type="application/json")
    assert_refused(tmp_path, EmptyAudio, [b"audio=x"], content_type="application/x-www-form-urlencoded")
    assert_refused(tmp_path, MalformedRequest, [b"x"], content_type="multipart/form-data")
    assert_refused(
        tmp_path, MalformedRequest, [b"x"], content_type=f"multipart/form-data; boundary={'b' * 300}"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"garbage",
        form(part("audio", b"x" * 5000))[:-40],
        form(part("audio", b"x"))[: -len(f"--{BOUNDARY}--\r\n")],
        b"--frontier\r\nno colon here\r\n\r\nx\r\n--frontier--\r\n",
        b"--frontier\r\nX-Other: 1\r\n\r\nx\r\n--frontier--\r\n",
    ],
)
def test_a_broken_form_leaves_nothing(tmp_path: Path, body: bytes) -> None:
    assert_refused(tmp_path, MalformedRequest, [body])


def test_the_limit_holds_and_no_more_than_it_is_ever_on_the_disk(tmp_path: Path) -> None:
    body = form(part("audio", b"x" * (LIMIT + 1)))
    chunks = [body[at : at + 65536] for at in range(0, len(body), 65536)]
    assert_refused(tmp_path, UploadTooLarge, chunks)
    exact = receive(LocalStorage(str(tmp_path)), [form(part("audio", b"x" * LIMIT))])
    assert exact.audio is not None
    assert exact.audio.size == LIMIT


def test_ten_thousand_parts_a_huge_field_a_huge_header(tmp_path: Path) -> None:
    many = form(*(part(f"f{number}", b"") for number in range(10_000)))
    error = assert_refused(tmp_path, MalformedRequest, [many])
    assert str(MOST_PARTS) in error.detail
    assert_refused(tmp_path, UploadTooLarge, [form(part("notes", b"x" * (LONGEST_FIELD + 1)))])
    misnamed = form(part("file", b"x" * (LONGEST_FIELD + 1), "call.wav"))
    refused = assert_refused(tmp_path, ValidationFailed, [misnamed])
    assert [(one["field"], "'audio'" in one["message"]) for one in refused.errors] == [("file", True)]
    header = b"--frontier\r\nContent-Disposition: form-data; name=" + b"x" * 1_000_000 + b"\r\n\r\n"
    assert_refused(tmp_path, MalformedRequest, [header])


def test_a_field_twice_is_named(tmp_path: Path) -> None:
    body = form(part("call_id", b"a"), part("call_id", b"b"))
    assert assert_refused(tmp_path, ValidationFailed, [body]).errors[0]["field"] == "call_id"
    body = form(part("audio", b"a"), part("audio", b"b"))
    assert assert_refused(tmp_path, ValidationFailed, [body]).errors[0]["field"] == "audio"


def test_a_field_that_is_no_text_is_named_and_its_file_removed(tmp_path: Path) -> None:
    body = form(part("audio", b"abc"), part("agent_id", b"\xff\xfe"))
    assert assert_refused(tmp_path, ValidationFailed, [body]).errors[0]["field"] == "agent_id"


def test_a_client_that_goes_away_or_dawdles(tmp_path: Path) -> None:
    started = part("audio", b"x" * 300_000)
    assert_refused(tmp_path, MalformedRequest, [])
    assert_refused(tmp_path, UploadTimeout, [started, *[b"x"] * 50], timeout_s=0.2, pause_s=0.05)
    assert_refused(tmp_path, UploadTimeout, [started, b"x"], timeout_s=0.05, pause_s=0.3)
