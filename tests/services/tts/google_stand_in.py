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
    failures: int | None = None
    """How many requests get ``status`` before the rest is answered well; None: all of them."""
    refused: set[int] = field(default_factory=set)
    """Requests (the first is 1) that get 503."""
    retry_after: str | None = None
    drips: bool = False
    """Send the answer a byte at a time."""
    is_silent: bool = False
    waits_s: float = 0.0
    ended: Event = field(default_factory=Event)

    def next_status(self) -> int:
        if len(self.asked) in self.refused:
            return 503
        return self.status if self.failures is None or len(self.asked) <= self.failures else 200

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
            self.send_response(state.next_status())
            self.send_header("Content-Length", str(len(answer)))
            if state.retry_after is not None:
                self.send_header("Retry-After", state.retry_after)
            self.end_headers()
            for at in range(0, len(answer), 1 if state.drips else len(answer)):
                self.wfile.write(answer[at : at + 1] if state.drips else answer)
                if state.drips and state.ended.wait(0.05):
                    return
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Tests need no access log."""
