"""`/health` while a transcription runs, against `/health` of the idle service, in one run."""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bench.report import Figure, percentile, write
from tests.process.service import ROOT, Service, running, write_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REQUESTS = 200
IN_FLIGHT = 10
TARGET_RATIO = 3.0


def measure() -> list[Figure]:
    audio = (ROOT / "samples" / "demo_call.mp3").read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        write_script(Path(folder))
        with running(Path(folder), stt_provider="pocketsphinx") as service:
            _latencies(service)  # connections and code paths are warm on both sides
            idle = _latencies(service)
            sender = threading.Thread(target=service.transcribe, args=(audio,), kwargs={"call_id": "BUSY"})
            sender.start()
            while service.get("/calls/BUSY").json().get("stage") != "transcribe":
                time.sleep(0.02)
            busy = _latencies(service)
            still = service.get("/calls/BUSY").json()["status"] == "processing"
            sender.join()
    assert still, "the transcription ended before the measurement did"
    idle_p99, busy_p99 = percentile(idle, 0.99), percentile(busy, 0.99)
    figures = [
        Figure("p99 of /health, idle", idle_p99 * 1000, "ms"),
        Figure("p99 of /health while a transcription runs", busy_p99 * 1000, "ms"),
        Figure("ratio of the two", busy_p99 / idle_p99, "x", TARGET_RATIO),
    ]

    def draw(axes: Axes) -> None:
        for name, values, colour in (("idle", idle, "#3b6ea8"), ("transcribing", busy, "#c77d2e")):
            shares = [(at + 1) / len(values) for at in range(len(values))]
            axes.plot([value * 1000 for value in sorted(values)], shares, label=name, color=colour)
        axes.set_xlabel(f"milliseconds, {REQUESTS} requests, {IN_FLIGHT} in flight")
        axes.set_ylabel("share of requests")
        axes.legend(frameon=False)

    write("health_latency", figures, draw, {"idle_s": idle, "busy_s": busy})
    return figures


def _latencies(service: Service) -> list[float]:
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    with httpx.Client(base_url=service.url, limits=limits) as client, ThreadPoolExecutor(IN_FLIGHT) as pool:

        def one(_: int) -> float:
            began = time.perf_counter()
            client.get("/health").raise_for_status()
            return time.perf_counter() - began

        return list(pool.map(one, range(REQUESTS)))


if __name__ == "__main__":
    measure()
