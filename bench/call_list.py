"""`GET /calls` with 100,000 calls over HTTP: first and thousandth page, on PostgreSQL and on SQLite."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bench.report import Figure, percentile, refuse_foreign_load, write
from bench.stored_calls import filled
from tests.process.service import running, write_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CALLS = 100_000
FAR_PAGE = 1_000
REQUESTS = 500
WARM_UP = 20
TARGET_MS = 50.0
NARROWED = {
    "one agent's calls": {"agent_id": "agent-7"},
    "calls with a churn risk": {"moment_type": "churn_risk"},
}
"""Of 20 agents; every fifth call has a churn risk."""
Latencies = dict[str, list[float]]


def measure() -> list[Figure]:
    with filled(CALLS) as urls:
        refuse_foreign_load()
        seconds, sizes = compare(urls)
    figures = [
        Figure(f"{name}: p99, {page}", percentile(values, 0.99) * 1000, "ms", _target(page))
        for name, pages in seconds.items()
        for page, values in pages.items()
    ]
    details = {"seconds": seconds, "page_bytes": sizes}
    write("call_list", figures, lambda axes: _draw(axes, seconds), details)
    return figures


def compare(urls: dict[str, str]) -> tuple[dict[str, Latencies], dict[str, int]]:
    """For each database, the seconds of each request and the bytes of a page."""
    seconds, sizes = {}, {}
    for name, url in urls.items():
        with tempfile.TemporaryDirectory() as folder:
            write_script(Path(folder))
            with running(Path(folder), database_url=url) as service:
                seconds[name], sizes[name] = _latencies(service.url)
    return seconds, sizes


def _draw(axes: Axes, seconds: dict[str, Latencies]) -> None:
    for (name, pages), colour in zip(seconds.items(), ("#3b6ea8", "#c77d2e"), strict=True):
        for page, style in ((_first(), "-"), (_far(), ":")):
            values = sorted(pages[page])
            shares = [(at + 1) / len(values) for at in range(len(values))]
            label = f"{name}, {page}"
            axes.plot([value * 1000 for value in values], shares, style, label=label, color=colour)
    axes.axvline(TARGET_MS, color="#b03a2e", linestyle="--", label="target for the p99")
    axes.set_xlim(left=0)
    axes.set_xlabel(f"milliseconds, {REQUESTS} requests one after the other, {CALLS:,} calls")
    axes.set_ylabel("share of requests")
    axes.legend(frameon=False, loc="center right")


def _first() -> str:
    return "first page"


def _far() -> str:
    return f"page {FAR_PAGE}"


def _target(page: str) -> float | None:
    return TARGET_MS if page in (_first(), _far()) else None


def _latencies(url: str) -> tuple[Latencies, int]:
    """Seconds of each request by page, and how many bytes a page has."""
    with httpx.Client(base_url=url, timeout=60) as client:
        first = client.get("/calls")
        cursor = _cursor_of(client, FAR_PAGE)
        pages = {_first(): {}, _far(): {"cursor": cursor}}
        pages |= {f"first page of {which}": query for which, query in NARROWED.items()}
        return {page: _timed(client, query) for page, query in pages.items()}, len(first.content)


def _cursor_of(client: httpx.Client, page: int) -> str:
    """Of a page, reached as a client would: from the first one on."""
    cursor: str = client.get("/calls").json()["next_cursor"]
    for _ in range(page - 2):
        cursor = client.get("/calls", params={"cursor": cursor}).json()["next_cursor"]
    return cursor


def _timed(client: httpx.Client, query: dict[str, str]) -> list[float]:
    taken = []
    for _ in range(WARM_UP + REQUESTS):
        began = time.perf_counter()
        answer = client.get("/calls", params=query)
        taken.append(time.perf_counter() - began)
        assert len(answer.raise_for_status().json()["items"]) == 50
    return taken[WARM_UP:]


if __name__ == "__main__":
    measure()
