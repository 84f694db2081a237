"""Removes what SQLite still holds of rows that were deleted.

`secure_delete` overwrites the rows themselves. Left are the log, which keeps the pages as they were before
until it is used anew, and unused corners of pages: where SQLite moves rows from one page to another, now and
then a copy stays behind (some words of one deleted call in 100 to 250, measured). So the log is emptied,
and a file that is not too large is written anew. And the index of words only notes that a call is gone: its
words leave it where its parts are merged into one. PostgreSQL has its own ways (autovacuum, recycled log).
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.db.engine import BUSY_TIMEOUT_S, is_in_memory
from app.db.session import Database

log = logging.getLogger(__name__)

MOST_REWRITTEN_BYTES = 256 * 2**20
"""A larger file would keep writers waiting for longer than some 3 seconds (measured: 100 MB a second)."""
ROOM = 3
"""Times its size that must be free: the copy, the log, and something for the others."""
REWRITE_PAUSE_S = 600.0
"""Between two rewritings, so that a deletion a minute does not mean to write the whole file every minute."""
WAIT_S = 0.5
MERGED_PAGES = 500
"""Pages of the index of words that are merged in one go, while nobody else writes."""
LEAST_CHANGES = 2
"""A merging that changed less had nothing to do (SQLite's own rule)."""
REST = 20
"""For so many times as long as a merging took nothing is merged again."""


class Traces:
    """What deletions left behind in one database. Thread-safe."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._in_log = True  # an earlier process may have ended before it had removed them
        self._in_pages = False
        self._in_index = True  # that earlier process again
        self._next_rewriting = self._next_merging = clock()

    def left(self) -> None:
        """Something was deleted, and the deletion is committed."""
        self._in_log = self._in_pages = self._in_index = True

    def remove(self) -> bool:
        """Remove what can be removed now; whether nothing is left to do. Call it again while there is.

        Raises DatabaseUnavailable.
        """
        if not self._database.is_sqlite or is_in_memory(self._database.engine.url):
            return True
        if self._in_index and self._clock() >= self._next_merging:
            self._in_index = False
            self._in_index = not self.merge_index()
        if self._in_pages and self._clock() >= self._next_rewriting:
            self._in_pages = False
            self._in_pages = not self._rewrite()
        if self._in_log:
            self._in_log = False
            self._in_log = not self._empty_log()
        return not (self._in_log or self._in_pages or self._in_index)

    def merge_index(self) -> bool:
        """Merge all parts of the index of words into one, some pages at a time so that nobody waits long;
        False where others write."""
        began, pages = self._clock(), -MERGED_PAGES  # negative: all parts, whatever their sizes
        while True:
            changes = self._changes(
                "INSERT INTO search_index (search_index, rank) VALUES ('merge', ?)", pages
            )
            if changes is None:
                return False
            if changes < LEAST_CHANGES:
                self._in_log = True
                self._next_merging = self._clock() + REST * (self._clock() - began)
                return True
            pages = MERGED_PAGES

    def _rewrite(self) -> bool:
        with self._database.undisturbed() as connection:
            file = Path(connection.execute("PRAGMA database_list").fetchone()[2])
        size = file.stat().st_size
        room = os.statvfs(file.parent)
        if size > MOST_REWRITTEN_BYTES or room.f_bavail * room.f_frsize < ROOM * size:
            log.info("database.not_rewritten", extra={"bytes": size})
            return True
        began = self._clock()
        done = self._done("VACUUM")
        self._in_log = True
        if done:
            took_s = self._clock() - began
            self._next_rewriting = self._clock() + REWRITE_PAUSE_S
            log.info("database.rewritten", extra={"bytes": size, "seconds": round(took_s, 3)})
        return done

    def _empty_log(self) -> bool:
        return self._done("PRAGMA wal_checkpoint(TRUNCATE)")

    def _done(self, statement: str) -> bool:
        """Whether it took place; not while others read what the log alone has, or write."""
        with self._database.undisturbed() as connection:
            row = _execute(connection, statement)
        return row is not None and row[0] in (None, 0)

    def _changes(self, statement: str, *values: int) -> int | None:
        """How many rows it changed; None while others write."""
        with self._database.undisturbed() as connection:
            before = connection.total_changes
            row = _execute(connection, statement, *values)
            connection.commit()  # where the driver began a transaction by itself
            return None if row is None else connection.total_changes - before


def _execute(connection: sqlite3.Connection, statement: str, *values: int) -> tuple[Any, ...] | None:
    """The first row of its answer, (None,) where there is none; None while others are in the way."""
    connection.execute(f"PRAGMA busy_timeout={WAIT_S * 1000:.0f}")
    try:
        row: tuple[Any, ...] | None = connection.execute(statement, values).fetchone()
    except sqlite3.OperationalError as error:
        log.warning("database.traces_remain", extra={"reason": str(error)})
        return None
    finally:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000:.0f}")
    return row or (None,)
