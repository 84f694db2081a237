"""One POST to a server that the settings name, without redirects, with limits of time and size."""

from __future__ import annotations

import base64
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from http.client import error as NotHttp
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes; the words of half a minute take some ten thousand."""
_CHUNK = 64 * 1024
_PORTS = {"http": 80, "https": 443}


class AnswerTooLarge(Exception):
    """The server sends more than ``LARGEST_ANSWER``."""


@dataclass(frozen=True)
class ServerAddress:
    """Where a server listens; ``path`` has no slash at its end."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_this_machine(self) -> bool:
        """By the address as it is written: what a name stands for is for others to say, and to change."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True)
class Reply:
    """``body`` is read only where ``status`` is 200; ``retry_after`` is the header as it came."""

    status: int
    retry_after: str | None
    body: bytes


def address_of(url: str) -> ServerAddress:
    """Raises ValueError that says, in words for the reader of the setting, what is wrong with ``url``."""
    if not url.isascii() or any(character <= " " or character == "\x7f" for character in url):
        raise ValueError("it holds spaces or characters that no address has")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise ValueError("it does not begin with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("it holds a user or password: a key belongs into STT_API_KEY")
    if parts.query or parts.fragment:
        raise ValueError("it holds a query or fragment")
    if not parts.hostname:
        raise ValueError("it names no host")
    port = _PORTS[parts.scheme] if parts.port is None else parts.port
    return ServerAddress(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))


def post(server: ServerAddress, path: str, headers: dict[str, str], body: bytes, deadline: float) -> Reply:
    """Send ``body`` to ``path`` below the server's own, and wait until ``deadline`` (``time.monotonic``).

    Raises OSError (TimeoutError past the deadline) or AnswerTooLarge.
    """
    connection, target, allowed = _connection(server, f"{server.path}{path}", _left_s(deadline))
    try:
        connection.connect()
        stream = connection.sock
        stream.settimeout(_left_s(deadline))
        connection.request("POST", target, body, {**headers, **allowed})
        stream.settimeout(_left_s(deadline))
        with connection.getresponse() as response:
            content = _content(response, stream, deadline) if response.status == 200 else b""
            return Reply(response.status, response.getheader("Retry-After"), content)
    except NotHttp as error:
        # Not as the cause: what the server said in its place may be anything.
        raise ConnectionError(f"the answer is no HTTP ({type(error).__name__})") from None
    finally:
        connection.close()


def _connection(
    server: ServerAddress, path: str, timeout_s: float
) -> tuple[HTTPConnection, str, dict[str, str]]:
    """A connection, by way of the proxy where there is one; what to ask for, with which further headers."""
    secure = ssl.create_default_context() if server.scheme == "https" else None
    proxy = None if server.is_this_machine or proxy_bypass(server.host) else getproxies().get(server.scheme)
    if not proxy:
        return _opened(server.host, server.port, secure, timeout_s), path, {}
    address = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    connection = _opened(address.hostname or "", address.port or 80, secure, timeout_s)
    allowed = _proxy_headers(address.username, address.password)
    if secure is not None:
        connection.set_tunnel(server.host, server.port, allowed)
        return connection, path, {}
    return connection, f"http://{server.authority}{path}", {**allowed, "Host": server.authority}


def _opened(host: str, port: int, secure: ssl.SSLContext | None, timeout_s: float) -> HTTPConnection:
    if secure is None:
        return HTTPConnection(host, port, timeout=timeout_s)
    return HTTPSConnection(host, port, timeout=timeout_s, context=secure)


def _proxy_headers(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _content(response: HTTPResponse, stream: socket.socket, deadline: float) -> bytes:
    content = bytearray()
    while not response.isclosed():
        stream.settimeout(_left_s(deadline))
        chunk = response.read1(_CHUNK)
        if not chunk:
            break
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise AnswerTooLarge
    if response.length:
        raise ConnectionResetError("the answer was cut off")
    return bytes(content)


def _left_s(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s
