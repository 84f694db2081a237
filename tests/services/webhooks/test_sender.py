"""One exchange with a real receiver: where it goes, what it says of itself, and when it ends."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from app.services.webhooks.addresses import AddressGuard, Allowed
from app.services.webhooks.sender import NotSent, Reply, Sender
from tests.services.webhooks.forms import lookup
from tests.services.webhooks.receiver import TLS, receiving

GUARD = AddressGuard(Allowed.of(["127.0.0.1", "hooks.test", "other.test"]), lookup)


def _post(url: str, *, timeout_s: float = 10) -> Reply:
    tls = ssl.create_default_context(cafile=str(TLS / "certificate.pem"))
    return Sender(timeout_s, tls).post(*GUARD.admit(url), {"webhook-id": "msg_1"}, b"{}")


def _failure(url: str, *, timeout_s: float = 10) -> str:
    with pytest.raises(NotSent) as caught:
        _post(url, timeout_s=timeout_s)
    return caught.value.code


def _hear(connection: socket.socket) -> None:
    """A whole message, or the start of a handshake: what is left unread would reset the connection."""
    heard = b""
    while not heard.endswith(b"{}") and not heard.startswith(b"\x16"):
        chunk = connection.recv(65536)
        if not chunk:
            return
        heard += chunk


@contextmanager
def _speaking(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that takes connections, hears what comes, and then does what ``speak`` does."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    _hear(connection)
                    speak(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_message_arrives_as_it_is() -> None:
    with receiving() as receiver:
        assert _post(receiver.url()) == Reply(204, None)
        (received,) = receiver.received
    assert received.path == "/hooks?key=1"
    assert received.body == b"{}"
    assert received.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert received.headers["webhook-id"] == "msg_1"


def test_over_tls_the_name_is_asked_for_and_its_certificate_checked() -> None:
    with receiving(tls=True) as receiver:
        assert _post(receiver.url("hooks.test", "https")).status == 204
        assert receiver.server_names == ["hooks.test"]
        assert receiver.received[0].headers["host"] == f"hooks.test:{receiver.port}"
        assert _failure(receiver.url("other.test", "https")) == "tls_failed"
        assert len(receiver.received) == 1


def test_a_certificate_that_nobody_vouches_for_fails() -> None:
    with receiving(tls=True) as receiver:
        target, addresses = GUARD.admit(receiver.url("hooks.test", "https"))
        with pytest.raises(NotSent, match="tls_failed"):
            Sender(10).post(target, addresses, {}, b"{}")
        assert receiver.received == []


def test_a_proxy_of_the_environment_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy, receiving() as receiver:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert _post(receiver.url()).status == 204
        assert proxy.received == []


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with receiving() as canary, receiving() as receiver:
        receiver.answers = [(307, {"Location": canary.url()})]
        assert _post(receiver.url()).status == 307
        assert canary.received == []


def test_the_next_address_is_tried_where_one_takes_no_connection() -> None:
    with receiving() as receiver:
        guard = AddressGuard(Allowed.of(["hooks.test"]), lambda _host, _port: ["127.0.0.9", "127.0.0.1"])
        target, addresses = guard.admit(receiver.url("hooks.test"))
        assert Sender(10).post(target, addresses, {}, b"{}").status == 204


def test_nobody_there() -> None:
    with receiving() as receiver:
        url = receiver.url()
    assert _failure(url) == "unreachable"


def test_an_answer_that_is_no_http() -> None:
    with _speaking(lambda stream: stream.sendall(b"hello there\r\n\r\n")) as url:
        assert _failure(url) == "bad_answer"


def test_an_answer_that_ends_before_it_began() -> None:
    with _speaking(lambda _stream: None) as url:
        assert _failure(url) == "unreachable"


def test_silence_is_cut_at_the_limit() -> None:
    with _speaking(lambda stream: stream.recv(1)) as url:  # answered by the end of the connection alone
        assert _failure(url, timeout_s=0.3) == "timeout"


def _drip(stream: socket.socket) -> None:
    stream.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    waiting = threading.Event()
    while not waiting.wait(0.05):
        stream.sendall(b"x")


def test_an_answer_that_drips_is_cut_at_the_limit() -> None:
    with _speaking(_drip) as url:
        assert _failure(url, timeout_s=0.5) == "timeout"


def test_a_handshake_that_drips_is_cut_at_the_limit() -> None:
    with _speaking(_drip_bytes) as url:
        port = int(url.rstrip("/").rpartition(":")[2])
        assert _failure(f"https://hooks.test:{port}/", timeout_s=0.5) == "timeout"


def _drip_bytes(stream: socket.socket) -> None:
    """The head of a TLS record of 16 KB, then its bytes one by one."""
    stream.sendall(b"\x16\x03\x03\x40\x00")
    waiting = threading.Event()
    while not waiting.wait(0.05):
        stream.sendall(b"\x02")


def test_a_body_without_end_is_not_read_to_its_end() -> None:
    sent = 0

    def flood(stream: socket.socket) -> None:
        nonlocal sent
        stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sent += stream.send(bytes(65536))

    with _speaking(flood) as url:
        assert _post(url).status == 200
    assert sent < 50 * 1024 * 1024  # what the buffers of two sockets hold
