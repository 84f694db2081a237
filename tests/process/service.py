"""A real service in a process of its own, driven over a real socket."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx

from app.core.config import Settings
from tests.db.databases import migrated_sqlite

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 90
POLL_S = 0.05
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For httpx, which else reads all certificates of the system before each request: 30 ms of work."""
FINAL = ("completed", "completed_with_warnings", "failed", "cancelled")


class Service:
    """One running service; ``folder`` holds its database, recordings, sidecar and log."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], port: int) -> None:
        self.folder = folder
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.port = port

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self._ask("POST", path, **options)

    def patch(self, path: str, **options: Any) -> httpx.Response:
        return self._ask("PATCH", path, **options)

    def delete(self, path: str) -> httpx.Response:
        return self._ask("DELETE", path)

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        settled = {"timeout": WAIT_S, "verify": NO_TLS, **options}
        return httpx.request(method, f"{self.url}{path}", **settled)

    def transcribe(self, audio: bytes, filename: str = "call.wav", **fields: str) -> httpx.Response:
        return self.post("/transcribe", files={"audio": (filename, audio)}, data=fields)

    def submit(self, audio: bytes, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        return self.post("/calls", files={"audio": ("call.wav", audio)}, data=fields, headers=headers)

    def call(self, call_id: str) -> dict[str, Any]:
        answer = self.get(f"/calls/{call_id}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def wait_for(self, call_id: str, *statuses: str) -> dict[str, Any]:
        """The call as soon as it has one of these states (default: any final one)."""
        wanted = statuses or FINAL
        wait_until(lambda: self.call(call_id)["status"] in wanted, f"{call_id} to be {wanted}")
        return self.call(call_id)

    def wait_for_stage(self, call_id: str, stage: str = "transcribe") -> None:
        path = f"/calls/{call_id}"
        wait_until(lambda: self.get(path).json().get("stage") == stage, f"{call_id} to be in {stage}")

    def events(
        self, path: str, headers: dict[str, str] | None = None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Server-sent events as name and data, until the stream ends."""
        url = f"{self.url}{path}"
        with httpx.stream("GET", url, headers=headers, timeout=WAIT_S, verify=NO_TLS) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            name = ""
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield name, json.loads(line.removeprefix("data: "))

    def times_done(self, stage: str, call_id: str) -> int:
        """How often a stage of the call was finished, by the log."""
        return sum(
            (line["event"], line.get("stage"), line.get("call_id")) == ("stage.ended", stage, call_id)
            for line in self.log_lines()
        )

    def log_lines(self) -> list[dict[str, Any]]:
        lines = (self.folder / "service.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def engine_pid(self) -> int:
        """Process id of the newest engine process."""
        return int([line["pid"] for line in self.log_lines() if line["event"] == "engine.started"][-1])

    def recordings(self) -> list[Path]:
        return [path for path in self.stored_files() if "audio" in path.parts]

    def stored_files(self) -> list[Path]:
        """Everything that the service keeps beside its database."""
        return [path for path in (self.folder / "data").rglob("*") if path.is_file()]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it as an operator would; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def running(folder: Path, *, workers: int = 1, wait_ready: bool = True, **settings: str) -> Iterator[Service]:
    """Start a service on ``folder`` and end it afterwards, whatever happened."""
    service = start(folder, workers=workers, **settings)
    try:
        if wait_ready:
            wait_until(lambda: service.get("/ready").status_code == 200, "the service to be ready")
        yield service
    finally:
        if service.process.poll() is None:
            service.process.terminate()
            try:
                service.process.wait(45)
            except subprocess.TimeoutExpired:
                service.kill()


def start(folder: Path, *, workers: int = 1, **settings: str) -> Service:
    """A service that answers. Its database is there already, and migrated, unless ``settings`` name one."""
    if "database_url" not in settings and not (folder / "calls.db").exists():
        (folder / "calls.db").write_bytes(migrated_sqlite())
    port = free_port()
    with (folder / "service.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--port", str(port), "--workers", str(workers)],
            env=environment(folder, **settings),
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    service = Service(folder, process, port)
    wait_until(lambda: is_alive(service), "the service to answer", every_s=0.02)  # starts are timed
    return service


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """The environment of a service of its own: nothing of ours but PATH and the like."""
    kept = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    own = {
        "DATABASE_URL": f"sqlite:///{folder}/calls.db",
        "STORAGE_URL": f"file://{folder}/data",
        "STT_PROVIDER": "scripted",
        "SCRIPTED_TRANSCRIPT": str(folder / "transcript.json"),
        "SENTIMENT_PROVIDER": "lexicon",
        "COACHABLE_CLASSIFIER": "none",
        "TTS_PROVIDER": "pyttsx3",
        "DRAIN_S": "0",
        "WHISPER_MODEL_DIR": str(folder / "models"),
        "SENTIMENT_MODEL_DIR": str(folder / "models"),
    }
    return {**kept, **own, **{name.upper(): value for name, value in settings.items()}}


def is_alive(service: Service) -> bool:
    if service.process.poll() is not None:
        raise AssertionError((service.folder / "service.log").read_text())
    connection = HTTPConnection("127.0.0.1", service.port, timeout=2)  # lighter than httpx
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool], what: str, every_s: float = POLL_S) -> None:
    until = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(every_s)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_script(folder: Path, text: str = "that is too expensive for us", faults: Any = ()) -> None:
    """The sidecar of the scripted engine: ``text`` evenly over the recording, and faults."""
    sidecar = {"language": "en", "text": text, "faults": list(faults)}
    new = folder / "transcript.new"
    new.write_text(json.dumps(sidecar))
    new.replace(folder / "transcript.json")


def tone(seconds: float = 2.0, pitch: float = 440.0, rate: int = 16000) -> bytes:
    """A WAV file with a sine tone; different pitches make different recordings."""
    count = round(seconds * rate)
    samples = (round(8000 * math.sin(2 * math.pi * pitch * at / rate)) for at in range(count))
    return wav(struct.pack(f"<{count}h", *samples), rate)


def wav(pcm: bytes, rate: int = 16000, channels: int = 1) -> bytes:
    target = BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
    return target.getvalue()
