"""Which addresses are taken, which count as this machine, and how servers are reached."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.services.stt.openai_api_client import Reply as Answered
from app.services.stt.openai_api_client import address_of, post
from tests.services.stt.audio_api_server import (
    HEARD,
    AudioApi,
    Reply,
    answer,
    audio_api,
    failure,
    self_signed,
)

KEY = {"Authorization": "Bearer sk-secret", "Content-Type": "multipart/form-data; boundary=b"}
BODY = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n'


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def api() -> Iterator[AudioApi]:
    with audio_api(answer(**HEARD)) as server:
        yield server


def send(base: str) -> Answered:
    return post(address_of(base), "/audio/transcriptions", KEY, BODY, time.monotonic() + 20)


@pytest.mark.parametrize(
    "base",
    [
        "127.0.0.1:8000/v1", "ftp://127.0.0.1/v1", "http://", "http:///v1", "http://user:pw@127.0.0.1/v1",
        "http://127.0.0.1:99999/v1", "http://127.0.0.1:x/v1", "http://127.0.0.1/v1?key=1", "http://127.0.0.1/v1#a",
        "http://127.0.0.1/v 1", "http://[::1/v1", "http://exämple.invalid/v1", "http://127.0.0.1/v1\r\nX:1",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_refused(base: str) -> None:
    with pytest.raises(ValueError) as caught:
        address_of(base)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("base", "authority", "path"),
    [
        ("https://asr.example.com", "asr.example.com", ""),
        ("http://Asr.example.com:80/v1/", "asr.example.com", "/v1"),
        ("https://[2001:db8::1]:8443/a/b", "[2001:db8::1]:8443", "/a/b"),
    ],
)
def test_an_address_in_its_parts(base: str, authority: str, path: str) -> None:
    address = address_of(base)
    assert (address.authority, address.path) == (authority, path)


@pytest.mark.parametrize(
    ("host", "stays_here"),
    [
        ("127.0.0.1", True), ("127.8.9.10", True), ("[::1]", True), ("localhost", True), ("LOCALHOST", True),
        ("localhost.example.com", False), ("a.localhost", False), ("127.0.0.1.nip.io", False),
        ("2130706433", False), ("127.1", False), ("0.0.0.0", False), ("[::]", False), ("10.0.0.1", False),
        ("[::ffff:8.8.8.8]", False), ("api.openai.com", False),
    ],
)  # fmt: skip
def test_only_loopback_by_its_own_address_counts_as_this_machine(host: str, stays_here: bool) -> None:
    assert address_of(f"http://{host}:8000/v1").is_this_machine is stays_here


def test_loopback_goes_past_every_proxy(api: AudioApi, monkeypatch: pytest.MonkeyPatch) -> None:
    with audio_api(failure(502)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        assert send(api.base).status == 200
    assert proxy.received == []


def test_other_servers_are_asked_by_way_of_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with audio_api(answer(**HEARD)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://some:one%21@127.0.0.1:{proxy.port}")
        assert send("http://asr.invalid:8001/v1").status == 200
    (received,) = proxy.received
    assert received.target == "http://asr.invalid:8001/v1/audio/transcriptions"
    assert received.headers["Host"] == "asr.invalid:8001"
    assert received.headers["Proxy-Authorization"] == "Basic c29tZTpvbmUh"


def test_a_tunnel_is_asked_for_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with audio_api(failure(403)) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(OSError, match="Tunnel"):
            send("https://asr.invalid/v1")
    (received,) = proxy.received
    assert received.target == "asr.invalid:443"
    assert "Authorization" not in received.headers


def test_only_certificates_that_the_machine_trusts_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    with audio_api(answer(**HEARD), certificate=certificate) as api:
        with pytest.raises(ssl.SSLCertVerificationError):
            send(api.base)
        assert api.received == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
        assert send(api.base).status == 200


def test_what_lies_past_the_deadline_is_not_begun(api: AudioApi) -> None:
    with pytest.raises(TimeoutError):
        post(address_of(api.base), "/audio/transcriptions", KEY, BODY, time.monotonic())
    assert api.received == []


@pytest.mark.parametrize(
    "cut", [Reply(hang_up=True), Reply(b"{}", cut=True), Reply(b"220 mail\r\n", raw=True)]
)
def test_half_an_answer_is_none(cut: Reply) -> None:
    with audio_api(cut) as api, pytest.raises(ConnectionError):
        send(api.base)


def test_only_a_good_answer_is_read() -> None:
    with audio_api(failure(429, Retry_After="7")) as api:
        reply = send(api.base)
    assert (reply.status, reply.retry_after, reply.body) == (429, "7", b"")
