"""A local server that speaks Google Translate's protocol as far as gTTS needs it."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import parse_qs

import pytest


@dataclass
class Google:
    """What was asked of the server, and how it is to answer."""

    port: int
    asked: list[tuple[str, str]] = field(default_factory=list)
    status: int = 200
    is_silent: bool = False
    waits_s: float = 0.0
    ended: Event = field(default_factory=Event)

    def sound_of(self, text: str) -> bytes:
        return f"<{text}>".encode()


@contextmanager
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    """Serve on loopback and send gTTS there: only the address of the far end is replaced."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    state = Google(server.server_address[1])
    server.google = state  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(
        "gtts.tts._translate_url", lambda tld, path: f"http://127.0.0.1:{state.port}/{tld}/{path}"
    )
    try:
        yield state
    finally:
        state.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def closed_port() -> int:
    """A port on loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        state: Google = self.server.google  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        text, language, *_ = json.loads(json.loads(parse_qs(body)["f.req"][0])[0][0][1])
        state.asked.append((text, language))
        state.ended.wait(state.waits_s)
        sound = base64.b64encode(state.sound_of(text)).decode()
        inner = "" if state.is_silent else json.dumps([sound])
        answer = json.dumps([["wrb.fr", "jQ1olc", inner]], separators=(",", ":")).encode()
        try:
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Tests need no access log."""
