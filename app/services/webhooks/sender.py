"""One POST to an address that was looked at before: no redirects, no proxy, limits of time and size."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection
from http.client import error as NotHttp

from app.services.webhooks.addresses import Address, Target

LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer's body that are read; they are of no use, but a receiver may want them taken."""


@dataclass(frozen=True)
class Reply:
    """``retry_after`` is the header as it came."""

    status: int
    retry_after: str | None


class NotSent(Exception):
    """No answer came; ``code`` says why: `timeout`, `tls_failed`, `unreachable` or `bad_answer`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Sender:
    """Sends messages. Thread-safe."""

    def __init__(self, timeout_s: float, tls: ssl.SSLContext | None = None) -> None:
        """``timeout_s`` bounds a whole exchange; ``tls`` stands for the system's certificates."""
        self.timeout_s = timeout_s
        self._given_tls = tls

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Reading the system's certificates takes its time, for which no start should wait."""
        return self._given_tls or ssl.create_default_context()

    def post(
        self, target: Target, addresses: Sequence[Address], headers: dict[str, str], body: bytes
    ) -> Reply:
        """Connect to one of ``addresses`` as the host of ``target`` and wait for the answer's head.

        Raises NotSent.
        """
        deadline = time.monotonic() + self.timeout_s
        try:
            with self._stream(target, addresses, deadline) as stream, _cut_at(stream, deadline):
                if isinstance(stream, ssl.SSLSocket):
                    stream.do_handshake()
                return _exchange(stream, target, headers, body, deadline)
        except (OSError, NotHttp, ValueError) as error:
            # Not as the cause: what came in place of an answer may be anything.
            raise NotSent("timeout" if time.monotonic() >= deadline else _code_of(error)) from None

    @contextmanager
    def _stream(
        self, target: Target, addresses: Sequence[Address], deadline: float
    ) -> Iterator[socket.socket]:
        plain = _connected(target, addresses, deadline)
        if target.scheme != "https":
            with plain:
                yield plain
            return
        # The certificate must be the name's, though the connection is to the address.
        secure = self._tls.wrap_socket(plain, server_hostname=target.host, do_handshake_on_connect=False)
        with secure:
            yield secure


def _connected(target: Target, addresses: Sequence[Address], deadline: float) -> socket.socket:
    for place, address in enumerate(addresses):
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            break
        with contextlib.suppress(OSError):
            # Whatever is left is shared, so that one silent address does not keep the others from a turn.
            connection = socket.create_connection(
                (str(address), target.port), timeout=left_s / (len(addresses) - place)
            )
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            return connection
    raise ConnectionError("no address took the connection")


@contextmanager
def _cut_at(stream: socket.socket, deadline: float) -> Iterator[None]:
    """End the connection at the deadline: a socket's own timeout begins anew with every byte."""

    def cut() -> None:
        with contextlib.suppress(OSError):
            # Past ssl's own, which would take its state away from the thread that reads.
            socket.socket.shutdown(stream, socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _exchange(
    stream: socket.socket, target: Target, headers: dict[str, str], body: bytes, deadline: float
) -> Reply:
    connection = HTTPConnection(target.host, target.port)
    connection.sock = stream
    connection.request(
        "POST", target.resource, body, {**headers, "Host": target.authority, "Connection": "close"}
    )
    with connection.getresponse() as response:
        if time.monotonic() >= deadline:  # to the parser, a head that was cut is a short one
            raise TimeoutError
        reply = Reply(response.status, response.getheader("Retry-After"))
        with contextlib.suppress(OSError, NotHttp):
            response.read(LARGEST_ANSWER)
        return reply


def _code_of(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls_failed"
    if isinstance(error, NotHttp | ValueError) and not isinstance(error, ConnectionError):
        return "bad_answer"
    return "unreachable"
