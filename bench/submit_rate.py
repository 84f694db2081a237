"""Calls that `POST /calls` takes in a second on PostgreSQL, and how long a client waits for its 202."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bench.report import Figure, percentile, write
from tests.process.brokers import broker_url
from tests.process.cluster import DEFAULTS, cluster
from tests.process.service import tone, write_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CALLS = 400
CLIENTS = 4
LONGEST_P95_MS = 200.0


def measure() -> list[Figure]:
    audio = tone()
    with tempfile.TemporaryDirectory() as place:
        write_script(Path(place))
        settings = {**DEFAULTS, "max_queued_calls": "10000", "log_level": "WARNING"}
        with cluster(Path(place), broker_url("rabbitmq"), **settings) as installation:
            service = installation.start_api()
            _send(service.url, audio, 20, "WARM")  # connections and code paths
            began = time.monotonic()
            waits = _send(service.url, audio, CALLS, "CALL")
            seconds = time.monotonic() - began
    p95_ms = percentile(waits, 0.95) * 1000
    figures = [
        Figure("p95 of POST /calls, small files, PostgreSQL", p95_ms, "ms", LONGEST_P95_MS),
        Figure("p50 of POST /calls", percentile(waits, 0.5) * 1000, "ms"),
        Figure(f"calls taken in a second, {CLIENTS} clients at once", CALLS / seconds, "/s"),
    ]

    def draw(axes: Axes) -> None:
        shares = [(at + 1) / len(waits) for at in range(len(waits))]
        axes.plot([wait * 1000 for wait in sorted(waits)], shares, color="#3b6ea8")
        axes.axvline(LONGEST_P95_MS, color="#999999", linestyle="--")
        axes.set_xlim(left=0)
        axes.set_xlabel(f"milliseconds to the 202, {len(audio) // 1024} KB each, {CLIENTS} clients at once")
        axes.set_ylabel("share of calls")

    write("submit_rate", figures, draw, {"waits_s": waits})
    return figures


def _send(url: str, audio: bytes, count: int, prefix: str) -> list[float]:
    with httpx.Client(base_url=url, timeout=60) as client, ThreadPoolExecutor(CLIENTS) as pool:

        def one(number: int) -> float:
            began = time.perf_counter()
            answer = client.post(
                "/calls", files={"audio": ("a.wav", audio)}, data={"call_id": f"{prefix}-{number}"}
            )
            assert answer.status_code == 202, answer.text
            return time.perf_counter() - began

        return list(pool.map(one, range(count)))


if __name__ == "__main__":
    measure()
