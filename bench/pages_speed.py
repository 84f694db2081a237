"""Pages with 10,000 calls, to the first byte: the list, a call of two hours, an agent of 2,000 calls."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from sqlalchemy import text

from app.db.figure_models import CallFigureRow
from app.db.models import CallRow, table_of
from app.db.repositories.waveforms import WaveformRepository
from app.db.session import Database
from app.schemas.waveform import Peaks
from app.web.call.beginning import BEGINNING
from bench.report import Figure, percentile, refuse_foreign_load, write
from bench.stored_calls import FIRST, TenMinuteCalls, filled, store
from tests.browser.chromium import chromium_path, launched
from tests.db.databases import opened
from tests.process.service import running, write_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CALLS = 10_000
REQUESTS = 100
WARM_UP = 10
OPENED = 5
TARGET_MS = 200.0
OPEN_TARGET_MS = 1000.0
TWO_HOURS_S = 7200.0
LONG = "two-hours"
BUSY = "agent-7"
"""Has 2,000 of the calls: those of its own and of three more agents."""
WINDOW = f"date_from={FIRST:%F}&date_to=2026-03-31"
LISTS = {
    "calls": "/",
    "calls, older": "",
    "calls, search": "/?q=too+expensive",
    "calls, search for one": "/?q=ticket7777",
    "calls, filters": "/?agent_id=agent-3&moment_type=objection&status=completed",
    "calls, team and days": "/?team_id=team-1&date_from=2026-03-01&date_to=2026-03-02",
}
OTHERS = {
    "a call of two hours": f"/ui/calls/{LONG}",
    "its rest": f"/ui/calls/{LONG}/rest/{BEGINNING}",
    "an agent of 2,000 calls": f"/ui/agents/{BUSY}?{WINDOW}",
    "all agents": f"/ui/agents?{WINDOW}",
}
Latencies = dict[str, list[float]]


def measure() -> list[Figure]:
    with filled(CALLS, searchable=True) as urls:
        for url in urls.values():
            with opened(url) as database:
                _gather(database)
                _store_long(database)
        refuse_foreign_load()
        taken = {name: _latencies_of(url) for name, url in urls.items()}
    seconds = {name: latencies for name, (latencies, _, _) in taken.items()}
    figures = [figure for name, of_one in taken.items() for figure in _figures(name, *of_one)]
    write("pages_speed", figures, lambda axes: _draw(axes, seconds), {"seconds": seconds})
    return figures


def _gather(database: Database) -> None:
    """Three agents' calls become those of ``BUSY``: a fifth of all."""
    gathered = ("agent-8", "agent-9", "agent-10")
    with database.session() as session:
        for row in (CallRow, CallFigureRow):
            table = table_of(row)
            session.execute(table.update().where(table.c.agent_id.in_(gathered)).values(agent_id=BUSY))


def _store_long(database: Database) -> None:
    if not database.is_sqlite:  # the copies brought numbers of their own
        with database.session() as session:
            session.execute(
                text("SELECT setval(pg_get_serial_sequence('results', 'id'), max(id)) FROM results")
            )
    store(database, LONG, CALLS + 1, TenMinuteCalls(TWO_HOURS_S).make(7))
    step_s = TWO_HOURS_S / 4000
    with database.session() as session:
        WaveformRepository(session).put(LONG, Peaks(step_s, (bytes(range(200)) * 20,) * 2))


def _latencies_of(url: str) -> tuple[Latencies, dict[str, int], float | None]:
    """Seconds to the first byte of each page, its size, and how long a browser takes to open two hours."""
    with tempfile.TemporaryDirectory() as folder:
        write_script(Path(folder))
        with running(Path(folder), database_url=url) as service:
            with httpx.Client(base_url=service.url, timeout=60) as client:
                pages = {**LISTS, **OTHERS, "calls, older": _older(client)}
                latencies = {page: _timed(client, address) for page, address in pages.items()}
                sizes = {page: len(client.get(address).content) for page, address in pages.items()}
            return latencies, sizes, _opened_s(f"{service.url}/ui/calls/{LONG}")


def _older(client: httpx.Client) -> str:
    """The second page of the list."""
    page = client.get("/").text
    return page.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")


def _timed(client: httpx.Client, address: str) -> list[float]:
    taken = []
    for _ in range(WARM_UP + REQUESTS):
        began = time.perf_counter()
        with client.stream("GET", address) as answer:
            assert answer.status_code == 200
            pieces = answer.iter_raw()
            next(pieces)
            taken.append(time.perf_counter() - began)
            for _ in pieces:
                pass
    return taken[WARM_UP:]


def _opened_s(address: str) -> float | None:
    """Seconds until Chromium has read the page and run its scripts, at the median; None without it."""
    if chromium_path() is None:
        return None
    taken = []
    with launched() as browser:
        for _ in range(OPENED):
            page = browser.new_page()
            page.goto(address, wait_until="domcontentloaded")
            ended: float = page.evaluate(
                "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
            )
            taken.append(ended / 1000)
            page.close()
    return percentile(taken, 0.5)


def _figures(
    name: str, latencies: Latencies, sizes: dict[str, int], opened_s: float | None
) -> Iterator[Figure]:
    for page, values in latencies.items():
        target = TARGET_MS if page in LISTS else OPEN_TARGET_MS
        yield Figure(f"{name}: p50, {page}", percentile(values, 0.5) * 1000, "ms")
        yield Figure(f"{name}: p99, {page}", percentile(values, 0.99) * 1000, "ms", target)
        yield Figure(f"{name}: size, {page}", sizes[page] / 1024, "KiB")
    if opened_s is not None:
        yield Figure(f"{name}: two hours opened in Chromium", opened_s * 1000, "ms", OPEN_TARGET_MS)


def _draw(axes: Axes, seconds: dict[str, Latencies]) -> None:
    pages = list(next(iter(seconds.values())))
    for offset, (name, colour) in enumerate(zip(seconds, ("#3b6ea8", "#c77d2e"), strict=True)):
        for share, alpha in ((0.99, 0.45), (0.5, 1.0)):
            widths = [percentile(seconds[name][page], share) * 1000 for page in pages]
            places = [at + 0.38 * offset for at in range(len(pages))]
            label = f"{name}, p{share * 100:.0f}"
            axes.barh(places, widths, height=0.34, color=colour, alpha=alpha, label=label)
    axes.axvline(TARGET_MS, color="#b03a2e", linestyle="--", label="target of the list")
    axes.set_yticks([at + 0.19 for at in range(len(pages))], pages)
    axes.invert_yaxis()
    axes.set_xlabel(f"milliseconds to the first byte, {CALLS:,} calls")
    axes.legend(frameon=False)


if __name__ == "__main__":
    measure()
