"""The pages: a list of 10,000 calls, a call of two hours, an agent with 2,000; PostgreSQL and SQLite."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from app.db.figure_models import CallFigureRow
from app.db.migrate import migrate
from app.db.models import CallRow, table_of
from app.db.session import Database
from bench.report import Figure, percentile, refuse_foreign_load, write
from bench.stored_calls import FIRST, TenMinuteCalls, fill, store
from tests.browser.chromium import chromium_path, launched
from tests.db.databases import opened, postgres_url, sqlite_url
from tests.process.service import Service, running, write_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CALLS = 10_000
AGENT_CALLS = 2_000
AGENT = "agent-of-2000"
LONG_CALL = "two-hours"
LONG_CALL_S = 7200.0
REQUESTS = 100
WARM_UP = 5
OPENINGS = 7
TARGET_MS = 200.0
OPENING_TARGET_S = 1.0
SPAN = {"date_from": f"{FIRST:%F}", "date_to": "2026-03-08"}
"""Days from the first of the calls to a few after the last."""
LISTS: dict[str, tuple[str, dict[str, str]]] = {
    "the list": ("/", {}),
    "a search": ("/", {"q": '"too expensive"'}),
    "one agent's calls with an objection": ("/", {"agent_id": "agent-7", "moment_type": "objection"}),
}
OTHERS: dict[str, tuple[str, dict[str, str]]] = {
    f"an agent with {AGENT_CALLS:,} calls": (f"/ui/agents/{AGENT}", {"bucket": "day", **SPAN}),
    "all agents": ("/ui/agents", SPAN),
    "a call of two hours": (f"/ui/calls/{LONG_CALL}", {}),
}
PAGES = LISTS | OTHERS
Latencies = dict[str, list[float]]


def measure() -> list[Figure]:
    with filled() as urls:
        refuse_foreign_load()
        first_bytes: dict[str, Latencies] = {}
        openings: list[float] = []
        sizes: dict[str, int] = {}
        for name, url in urls.items():
            with _served(url) as service:
                first_bytes[name], sizes = _first_bytes_of(service)
                if name == "SQLite" and chromium_path():
                    openings = _openings(service)
    figures = list(_figures(first_bytes))
    figures.append(Figure("a call of two hours: its page", sizes["a call of two hours"] / 1e6, "MB"))
    if openings:
        opening_s = percentile(openings, 0.5)
        figures.append(
            Figure("a call of two hours: DOMContentLoaded in Chromium", opening_s, "s", OPENING_TARGET_S)
        )
    details = {"first_byte_s": first_bytes, "page_bytes": sizes, "dom_content_loaded_s": openings}
    write("dashboard", figures, lambda axes: _draw(axes, first_bytes), details)
    return figures


@contextmanager
def filled() -> Iterator[dict[str, str]]:
    """The addresses of two databases with ``CALLS`` calls each, one of two hours, and one busy agent."""
    long_call = TenMinuteCalls(LONG_CALL_S).make(7)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = {"PostgreSQL": stack.enter_context(postgres_url()), "SQLite": sqlite_url(folder)}
        for url in urls.values():
            with opened(url) as database:
                migrate(database)
                fill(database, CALLS, searchable=True)
                store(database, LONG_CALL, CALLS * 2, long_call)
                _give_to_one_agent(database)
        yield urls


def _give_to_one_agent(database: Database) -> None:
    """Every fifth call."""
    with database.session() as session:
        for row in (CallRow, CallFigureRow):
            table = table_of(row)
            mine = table.c.call_id.like("call-%0") | table.c.call_id.like("call-%5")
            session.execute(table.update().where(mine).values(agent_id=AGENT))


@contextmanager
def _served(url: str) -> Iterator[Service]:
    with tempfile.TemporaryDirectory() as folder:
        write_script(Path(folder))
        with running(Path(folder), database_url=url) as service:
            yield service


def _first_bytes_of(service: Service) -> tuple[Latencies, dict[str, int]]:
    """Seconds to the first byte of each request, and the bytes of each page."""
    with httpx.Client(base_url=service.url, timeout=60) as client:
        sizes = {
            page: len(client.get(path, params=query).raise_for_status().content)
            for page, (path, query) in PAGES.items()
        }
        return {page: _timed(client, path, query) for page, (path, query) in PAGES.items()}, sizes


def _timed(client: httpx.Client, path: str, query: dict[str, str]) -> list[float]:
    taken = []
    for _ in range(WARM_UP + REQUESTS):
        began = time.perf_counter()
        with client.stream("GET", path, params=query) as answer:
            chunks = answer.iter_raw()
            next(chunks)
            taken.append(time.perf_counter() - began)
            for _ in chunks:
                pass
    return taken[WARM_UP:]


def _openings(service: Service) -> list[float]:
    """Seconds from asking for the page of the long call until its document is there, scripts run."""
    taken = []
    with launched() as browser:
        for _ in range(OPENINGS):
            page = browser.new_page()
            page.goto(f"{service.url}/ui/calls/{LONG_CALL}", wait_until="domcontentloaded")
            taken.append(
                page.evaluate(
                    "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd / 1000"
                )
            )
            page.close()
    return taken


def _figures(first_bytes: dict[str, Latencies]) -> Iterator[Figure]:
    for name, pages in first_bytes.items():
        for page, values in pages.items():
            target = TARGET_MS if page in LISTS else None
            yield Figure(f"{name}: first byte, p50, {page}", percentile(values, 0.5) * 1000, "ms")
            yield Figure(f"{name}: first byte, p99, {page}", percentile(values, 0.99) * 1000, "ms", target)


def _draw(axes: Axes, first_bytes: dict[str, Latencies]) -> None:
    height = 0.4
    colours = ("#3b6ea8", "#c77d2e")
    for row, ((name, pages), colour) in enumerate(zip(first_bytes.items(), colours, strict=True)):
        values = [percentile(taken, 0.99) * 1000 for taken in pages.values()]
        places = [place + (row - 0.5) * height for place in range(len(values))]
        axes.barh(places, values, height, label=name, color=colour)
    axes.set_yticks(range(len(PAGES)), list(PAGES))
    axes.invert_yaxis()
    axes.axvline(TARGET_MS, color="#b03a2e", linestyle="--", label="target of the list")
    axes.set_xlabel(f"milliseconds to the first byte at p99 of {REQUESTS} requests, {CALLS:,} calls")
    axes.legend(frameon=False)


if __name__ == "__main__":
    measure()
