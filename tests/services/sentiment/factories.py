"""What the sentiment tests share: settings, the miniature model, a hub of their own, a closed network."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

from app.core.config import Settings
from app.schemas.utterance import Utterance
from tests.services.reading.miniature import reader_folder

MINI = Path(__file__).resolve().parents[2] / "models" / "mini_distilbert"
DEFAULT_MODEL = "distilbert-base-uncased-finetuned-sst-2-english"
POSITIVE = "that sounds great."
NEGATIVE = "it's a bit too expensive for our budget."
NEUTRAL = "the price is nine hundred dollars a month."


def said(*texts: str) -> list[Utterance]:
    """Texts by nobody in particular."""
    return [Utterance(text) for text in texts]


def make_settings(**overrides: Any) -> Settings:
    values: dict[str, Any] = {
        "sentiment_model": str(MINI),
        "sentiment_model_multilingual": str(MINI),
        "coachable_model_dir": reader_folder(),
        "engine_threads": 1,
        "sentiment_precision": "fp32",
    }
    values |= overrides
    return Settings(_env_file=None, **values)


def copy_model(folder: Path, *left_out: str) -> Path:
    shutil.copytree(MINI, folder, ignore=shutil.ignore_patterns(*left_out))
    return folder


@contextmanager
def closed_network() -> Iterator[list[object]]:
    """Refuses every connection and name lookup inside, and lists those that were tried."""
    tried: list[object] = []

    def refuse(*arguments: object, **_options: object) -> None:
        tried.append(arguments[-1])
        raise OSError("the network is closed in this test")

    with patch.object(socket, "getaddrinfo", refuse), patch.object(socket.socket, "connect", refuse):
        yield tried


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Hub:
    """A model hub on loopback that serves the files of one folder, and counts what is asked of it."""

    COMMIT = "0123456789abcdef0123456789abcdef01234567"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files_given: list[str] = []
        self.revisions: list[str] = []
        self.gone_after: int | None = None
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.answer(self, with_body=True)

            def do_HEAD(self) -> None:
                hub.answer(self, with_body=False)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler, *, with_body: bool) -> None:
        path = request.path.split("?")[0]
        if path.startswith("/api/models/"):
            self.revisions.append(path.rsplit("/revision/", 1)[-1])
            names = sorted(str(file.relative_to(self.folder)) for file in self.folder.rglob("*.*"))
            about = {"id": "model", "sha": self.COMMIT, "siblings": [{"rfilename": name} for name in names]}
            self._reply(request, 200, json.dumps(about).encode(), with_body)
            return
        name = path.rsplit(f"/{self.COMMIT}/", 1)[-1]
        file = self.folder / name
        if not file.is_file() or (self.gone_after is not None and len(self.files_given) >= self.gone_after):
            self._reply(request, 404, b"", with_body)
            return
        if with_body:
            self.files_given.append(name)
        self._reply(request, 200, file.read_bytes(), with_body)

    def _reply(self, request: BaseHTTPRequestHandler, status: int, body: bytes, with_body: bool) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("ETag", f'"{len(body)}"')
        request.send_header("X-Repo-Commit", self.COMMIT)
        request.send_header("Connection", "close")
        request.end_headers()
        if with_body:
            request.wfile.write(body)


@contextmanager
def serve_hub(folder: Path) -> Iterator[Hub]:
    hub = Hub(folder)
    thread = threading.Thread(target=hub.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.server.shutdown()
        hub.server.server_close()
        thread.join()
