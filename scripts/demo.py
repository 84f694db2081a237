"""`make demo`: starts the service on scratch data, sends it the demo call, shows the answer."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app.terminal import render_call  # noqa: E402 (the checkout this script lies in, installed or not)

DEMO_CALL = ROOT / "samples" / "demo_call.mp3"
REPLAY = ROOT / "demo-replay.mp3"
READY_WAIT_S = 180


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="darwix-demo-") as scratch:
        port = _free_port(8000)
        environment = _environment(Path(scratch), port)
        _say("migrating a scratch database")
        subprocess.run([sys.executable, "-m", "app", "migrate"], env=environment, cwd=ROOT, check=True)
        _say(f"starting the service on port {port}")
        with _service(environment, Path(scratch) / "service.log", port) as url:
            _show_engines(_wait_until_ready(url))
            result = _send_demo_call(url)
            print(f"\n{render_call(result)}\n")
            _fetch_replay(url, result["call_id"])
            _say(f"API documentation: {url}/docs")
            _say(f"the result as JSON:  curl {url}/calls/{result['call_id']}")
            _say(f"the dashboard, with this call in it: {url}/ui/calls/{result['call_id']}")
            if os.environ.get("DEMO_EXIT") != "1":
                _stay_until_interrupted()


def _environment(scratch: Path, port: int) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{scratch}/demo.db",
        "STORAGE_URL": f"file://{scratch}/data",
        "API_KEYS": "",
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }


@contextmanager
def _service(environment: dict[str, str], log: Path, port: int) -> Iterator[str]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"], env=environment, cwd=ROOT, stderr=output, stdout=output
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_alive(url, process, log)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_alive(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    began = time.monotonic()
    while time.monotonic() - began < READY_WAIT_S:
        if process.poll() is not None:
            sys.exit(f"the service did not start:\n{log.read_text()}")
        try:
            if httpx.get(f"{url}/health", timeout=2).status_code == 200:
                _say(f"alive after {time.monotonic() - began:.1f} s")
                return
        except httpx.TransportError:
            time.sleep(0.05)
    sys.exit(f"the service did not answer in {READY_WAIT_S} s:\n{log.read_text()}")


def _wait_until_ready(url: str) -> dict[str, Any]:
    until = time.monotonic() + READY_WAIT_S
    while True:
        response = httpx.get(f"{url}/ready", timeout=30)
        if response.status_code == 200:
            checks: dict[str, Any] = response.json()["checks"]
            return checks
        if time.monotonic() > until:
            sys.exit(f"the service is not ready after {READY_WAIT_S} s: {response.text}")
        time.sleep(0.2)


def _show_engines(checks: dict[str, Any]) -> None:
    for stage, check in checks["engines"].items():
        note = "  (lesser: see the warnings below)" if check["degraded"] else ""
        _say(f"{stage}: {check['engine'] or 'none'}{note}")


def _send_demo_call(url: str) -> dict[str, Any]:
    _say(f"sending samples/{DEMO_CALL.name} to POST /transcribe")
    began = time.monotonic()
    with DEMO_CALL.open("rb") as recording:
        response = httpx.post(
            f"{url}/transcribe",
            files={"audio": (DEMO_CALL.name, recording, "audio/mpeg")},
            data={"call_id": "DEMO-001", "agent_id": "daniel", "customer_id": "maria", "language": "en"},
            timeout=600,
        )
    if response.status_code != 200:
        sys.exit(f"POST /transcribe answered {response.status_code}: {response.text}")
    _say(f"analysed in {time.monotonic() - began:.1f} s")
    result: dict[str, Any] = response.json()
    return result


def _fetch_replay(url: str, call_id: str) -> None:
    response = httpx.post(f"{url}/replay", json={"call_id": call_id, "source": "narrated"}, timeout=600)
    if response.status_code != 200:
        sys.exit(f"POST /replay answered {response.status_code}: {response.text}")
    REPLAY.write_bytes(response.content)
    engine = response.headers["X-TTS-Engine"]
    _say(f"wrote {REPLAY.name}: its moments, narrated by {engine} ({len(response.content) // 1024} KB)")


def _stay_until_interrupted() -> None:
    _say("the service stays up; end it with Ctrl-C")
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    sys.exit("no free port")


def _say(text: str) -> None:
    print(f"→ {text}", flush=True)


if __name__ == "__main__":
    main()
