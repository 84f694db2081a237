"""`GET /calls` with 10,000 calls over HTTP: a page of the list, and searches in their transcripts."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from app.db.repositories.calls import CallRepository
from app.db.session import Database
from app.db.traces import Traces
from bench.report import Figure, percentile, refuse_foreign_load, write
from bench.stored_calls import filled
from tests.db.databases import opened
from tests.process.service import running, write_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CALLS = 10_000
REQUESTS = 200
WARM_UP = 10
TARGET_MS = 50.0
PAGES: dict[str, dict[str, str]] = {
    "the first page": {},
    "a word of most calls": {"q": "price"},
    "two words": {"q": "too expensive"},
    "a phrase": {"q": '"too expensive"'},
    "a beginning": {"q": "pri"},
    "a word of one call": {"q": "ticket7777 "},
    "a word of no call": {"q": "zwetschgenpelikan"},
    "a word in one agent's calls": {"q": "price", "agent_id": "agent-7"},
}
Latencies = dict[str, list[float]]


def measure() -> list[Figure]:
    with filled(CALLS, searchable=True) as urls:
        refuse_foreign_load()
        seconds = {name: _latencies_of(url) for name, url in urls.items()}
        with opened(urls["SQLite"]) as database:
            forgetting_s = _forget(database)
    figures = [
        Figure(f"{name}: p99, {page}", percentile(values, 0.99) * 1000, "ms", TARGET_MS)
        for name, pages in seconds.items()
        for page, values in pages.items()
    ]
    figures.append(Figure("SQLite: words of a deleted call leave the index", forgetting_s, "s"))
    write("call_search", figures, lambda axes: _draw(axes, seconds), {"seconds": seconds})
    return figures


def _latencies_of(url: str) -> Latencies:
    """Seconds of each request, by what is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        write_script(Path(folder))
        with (
            running(Path(folder), database_url=url) as service,
            httpx.Client(base_url=service.url, timeout=60) as client,
        ):
            return {page: _timed(client, query) for page, query in PAGES.items()}


def _timed(client: httpx.Client, query: dict[str, str]) -> list[float]:
    taken = []
    for _ in range(WARM_UP + REQUESTS):
        began = time.perf_counter()
        answer = client.get("/calls", params=query)
        taken.append(time.perf_counter() - began)
        answer.raise_for_status()
    return taken[WARM_UP:]


def _forget(database: Database) -> float:
    traces = Traces(database)
    traces.remove()
    with database.session() as session:
        CallRepository(session).delete("call-10000777")
    traces.left()
    began = time.perf_counter()
    traces.merge_index()
    return time.perf_counter() - began


def _draw(axes: Axes, seconds: dict[str, Latencies]) -> None:
    height = 0.4
    for row, ((name, pages), colour) in enumerate(zip(seconds.items(), ("#3b6ea8", "#c77d2e"), strict=True)):
        values = [percentile(taken, 0.99) * 1000 for taken in pages.values()]
        places = [place + (row - 0.5) * height for place in range(len(values))]
        axes.barh(places, values, height, label=name, color=colour)
    axes.set_yticks(range(len(PAGES)), list(PAGES))
    axes.invert_yaxis()
    axes.axvline(TARGET_MS, color="#b03a2e", linestyle="--", label="target")
    axes.set_xlabel(f"milliseconds at p99 of {REQUESTS} requests, {CALLS:,} calls")
    axes.legend(frameon=False)


if __name__ == "__main__":
    measure()
