"""A server that speaks the OpenAI audio API, on loopback: it keeps what it was sent and answers as told."""

from __future__ import annotations

import io
import json
import shutil
import ssl
import subprocess
import threading
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.services.stt.makers import Samples

HEARD = {
    "text": "Hello, is this Anna? Yes.",
    "language": "english",
    "duration": 3.0,
    "segments": [
        {"id": 0, "start": 0.0, "end": 2.0, "text": " Hello, is this Anna?", "avg_logprob": -0.1},
        {"id": 1, "start": 2.0, "end": 3.0, "text": " Yes.", "avg_logprob": -0.5},
    ],
    "words": [
        {"word": "Hello", "start": 0.1, "end": 0.5},
        {"word": "is", "start": 0.6, "end": 0.8},
        {"word": "this", "start": 0.8, "end": 1.0},
        {"word": "Anna", "start": 1.0, "end": 1.6},
        {"word": "Yes", "start": 2.2, "end": 2.5},
    ],
}
SAID = ["Hello,", "is", "this", "Anna?", "Yes."]
"""The words of ``HEARD`` as its text writes them."""


@dataclass
class Received:
    """One request as the server understood it; ``fields`` hold all values of each name."""

    target: str
    headers: dict[str, str]
    fields: dict[str, list[str]]
    wav: bytes

    @property
    def samples(self) -> Samples:
        with wave.open(io.BytesIO(self.wav)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
            pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return pcm.astype(np.float32) / 32768.0


@dataclass
class Reply:
    """``stall``: hold the answer back until the server ends. ``cut``: leave out its last byte.
    ``drip``: let a byte go every 50 ms. ``hang_up``: close the connection instead. ``raw``: send the body
    and no status or header."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    stall: bool = False
    cut: bool = False
    drip: bool = False
    hang_up: bool = False
    raw: bool = False


@dataclass
class AudioApi:
    """``replies`` in order; the last is given again and again."""

    replies: list[Reply]
    base: str = ""
    port: int = 0
    received: list[Received] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)


class Server(ThreadingHTTPServer):
    """Says nothing of clients that break off."""

    def handle_error(self, *_: object) -> None:
        pass


def answer(**content: Any) -> Reply:
    return Reply(json.dumps(content).encode(), headers={"Content-Type": "application/json"})


def failure(status: int, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(b'{"error": {"message": "no"}}', status, named)


@contextmanager
def audio_api(*replies: Reply, certificate: Path | None = None) -> Iterator[AudioApi]:
    """``certificate``: a PEM file that holds the key too; the server then speaks TLS."""
    api = AudioApi(list(replies))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            api.received.append(_received(self))
            _reply(self, api, api.replies.pop(0) if len(api.replies) > 1 else api.replies[0])

        def do_GET(self) -> None:
            api.received.append(Received(self.path, dict(self.headers), {}, b""))
            _reply(self, api, api.replies[0])

        def do_CONNECT(self) -> None:
            api.received.append(Received(self.path, dict(self.headers), {}, b""))
            _reply(self, api, api.replies[0])

        def log_message(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    api.port = server.server_address[1]
    api.base = f"{'https' if certificate else 'http'}://127.0.0.1:{api.port}/v1"
    try:
        yield api
    finally:
        api.ending.set()
        server.shutdown()
        thread.join()
        server.server_close()


def self_signed(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that nobody vouches for, with its key; without it: the `.crt` beside."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not here to make a certificate")
    path = folder / "server.pem"
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", path.with_suffix(".crt"),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


def _received(handler: BaseHTTPRequestHandler) -> Received:
    body = handler.rfile.read(int(handler.headers["Content-Length"]))
    head = f"Content-Type: {handler.headers['Content-Type']}\r\n\r\n".encode()
    fields: dict[str, list[str]] = {}
    wav = b""
    for part in _parts(head + body):
        name = part.get_param("name", header="Content-Disposition")
        content = part.get_payload(decode=True)
        if name == "file":
            assert part.get_filename() and part.get_content_type() == "audio/wav"
            wav = content
        else:
            fields.setdefault(name, []).append(content.decode())
    return Received(handler.path, dict(handler.headers), fields, wav)


def _parts(message: bytes) -> Sequence[Any]:
    parsed = BytesParser(policy=HTTP).parsebytes(message)
    assert parsed.is_multipart()
    return list(parsed.iter_parts())  # type: ignore[attr-defined]


def _reply(handler: BaseHTTPRequestHandler, api: AudioApi, reply: Reply) -> None:
    handler.close_connection = True
    if reply.stall:
        api.ending.wait()
    if reply.stall or reply.hang_up:
        return
    if reply.raw:
        handler.wfile.write(reply.body)
        return
    try:
        handler.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        for at in range(len(reply.body)) if reply.drip else ():
            handler.wfile.write(reply.body[at : at + 1])
            if api.ending.wait(0.05):
                return
        handler.wfile.write(b"" if reply.drip else reply.body[:-1] if reply.cut else reply.body)
    except ConnectionError:
        pass  # The client is free to go before the end.
