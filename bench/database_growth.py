"""What a call of ten minutes adds to PostgreSQL: rows, bytes of tables and indexes, write-ahead log, time."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from app.db.migrate import migrate
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from bench.report import Figure, write
from bench.stored_calls import TEMPLATES, TenMinuteCalls, store
from tests.db.clusters import Server, primary, server_folder
from tests.db.databases import opened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CALLS = 200
TABLES = "SELECT string_agg(relname, ',') FROM pg_stat_user_tables WHERE n_live_tup > 1"
LOG_POSITION = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"


@dataclass(frozen=True)
class Growth:
    """Of one table, for each call."""

    rows: float
    table_bytes: float
    index_bytes: float

    @property
    def all_bytes(self) -> float:
        return self.table_bytes + self.index_bytes


def measure() -> list[Figure]:
    with server_folder() as folder, primary(folder) as server, opened(server.url) as database:
        migrate(database)
        log_before = server.ask(LOG_POSITION)
        stored_s = _store(database)
        log_bytes = (server.ask(LOG_POSITION) - log_before) / CALLS
        read_s = _read(database)
        server.ask("VACUUM ANALYZE")
        tables = _growth(server)
        packed_bytes = _packed_words(database)
    total = sum(table.all_bytes for table in tables.values())
    words = tables["words"].all_bytes
    figures = [
        Figure("database, each call of ten minutes", total / 1000, "kB"),
        Figure("  of it words", 100 * words / total, "%"),
        Figure("  its words as one JSON value, for comparison", packed_bytes / 1000, "kB"),
        Figure("  rows", sum(table.rows for table in tables.values()), "rows"),
        Figure("write-ahead log, each call", log_bytes / 1000, "kB"),
        Figure("storing a result, median", statistics.median(stored_s) * 1000, "ms"),
        Figure("reading it whole, median", statistics.median(read_s) * 1000, "ms"),
    ]

    def draw(axes: Axes) -> None:
        names = sorted(tables, key=lambda name: tables[name].all_bytes)
        table_kb = [tables[name].table_bytes / 1000 for name in names]
        axes.barh(names, table_kb, color="#3b6ea8", label="rows")
        index_kb = [tables[name].index_bytes / 1000 for name in names]
        axes.barh(names, index_kb, left=table_kb, color="#c77d2e", label="indexes")
        axes.set_xlabel(f"kB for each call of ten minutes ({CALLS} calls)")
        axes.legend(frameon=False, loc="lower right")

    details = {
        name: {"rows": table.rows, "table_bytes": table.table_bytes, "index_bytes": table.index_bytes}
        for name, table in tables.items()
    }
    write("database_growth", figures, draw, {"each_call": details, "calls": CALLS})
    return figures


def _store(database: Database) -> list[float]:
    made = TenMinuteCalls()
    analyses = [made.make(number) for number in range(TEMPLATES)]
    taken = []
    for number in range(CALLS):
        began = time.perf_counter()
        store(database, f"call-{number:04}", number, analyses[number % TEMPLATES])
        taken.append(time.perf_counter() - began)
    return taken


def _read(database: Database) -> list[float]:
    taken = []
    for number in range(CALLS):
        began = time.perf_counter()
        with database.snapshot() as session:
            assert ResultRepository(session).current(f"call-{number:04}") is not None
        taken.append(time.perf_counter() - began)
    return taken


def _growth(server: Server) -> dict[str, Growth]:
    return {
        name: Growth(
            server.ask(f"SELECT count(*) FROM {name}") / CALLS,
            server.ask(f"SELECT pg_table_size('{name}')") / CALLS,
            server.ask(f"SELECT pg_indexes_size('{name}')") / CALLS,
        )
        for name in server.ask(TABLES).split(",")
    }


def _packed_words(database: Database) -> float:
    """Bytes that a call's words take where they are one value, as PostgreSQL compresses it."""
    words = "json_agg(json_build_array(text, start_s, end_s, confidence) ORDER BY segment, idx)"
    with database.session() as session:
        session.execute(
            text(f"CREATE TEMP TABLE packed AS SELECT {words} AS words FROM words GROUP BY result_id")
        )
        return float(session.execute(text("SELECT pg_table_size('packed')")).scalar_one()) / CALLS


if __name__ == "__main__":
    measure()
