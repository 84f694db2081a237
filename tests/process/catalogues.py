"""``python -m app ingest`` in a process of its own, on a folder of recordings that all differ."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

from sqlalchemy import text

from app.db.session import Database
from tests.db.databases import opened
from tests.process.service import ROOT, WAIT_S, environment, tone


def make_catalogue(folder: Path, count: int) -> Path:
    """``count`` recordings, some in a folder below."""
    catalogue = folder / "catalogue"
    (catalogue / "2023").mkdir(parents=True)
    for number in range(count):
        name = f"2023/call {number}.wav" if number % 2 else f"call {number}.wav"
        (catalogue / name).write_bytes(tone(0.5, 300 + 7 * number))
    return catalogue


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "app", "ingest", *map(str, arguments)]


class Loading:
    """One run of the command, in the background; what it prints and logs is in files."""

    def __init__(self, folder: Path, *arguments: str | Path, **settings: str) -> None:
        number = len(list(folder.glob("ingest-*.out")))
        self._out, self._err = folder / f"ingest-{number}.out", folder / f"ingest-{number}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command(*arguments),
                env=environment(folder, **settings),
                cwd=ROOT,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def wait(self) -> int:
        """The exit code."""
        return self.process.wait(4 * WAIT_S)

    def stop(self, number: int) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        return self.wait()

    @property
    def printed(self) -> str:
        return self._out.read_text()

    @property
    def logged(self) -> str:
        return self._err.read_text()

    def counts(self) -> dict[str, int]:
        """The table at the end."""
        found = {}
        for row in ("loaded", "queued", "already there", "skipped", "failed", "left"):
            for line in self.printed.splitlines():
                if line.startswith(f"{row}  "):
                    found[row] = int(line.removeprefix(row).split()[0])
        return found


def load(folder: Path, *arguments: str | Path, **settings: str) -> Loading:
    """One run, to its end."""
    loading = Loading(folder, *arguments, **settings)
    loading.wait()
    return loading


def on_terminal(folder: Path, *arguments: str | Path, **settings: str) -> tuple[int, str]:
    """One run on a terminal of its own: the exit code, and everything that was written to it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*arguments),
        env={**environment(folder, **settings), "TERM": "xterm", "COLUMNS": "120"},
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    written = bytearray()

    def read() -> None:
        with suppress(OSError):  # Linux says that the terminal is gone by EIO
            while chunk := os.read(ours, 65536):
                written.extend(chunk)

    reader = Thread(target=read)
    reader.start()
    code = process.wait(4 * WAIT_S)
    reader.join(WAIT_S)
    os.close(ours)
    return code, written.decode()


class Calls:
    """The calls as they lie in the database."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def by_status(self) -> dict[str, int]:
        return dict(self._rows("SELECT status, count(*) FROM calls GROUP BY status"))

    def results(self) -> dict[str, int]:
        """How many analyses each call has."""
        return dict(self._rows("SELECT call_id, count(*) FROM results GROUP BY call_id"))

    def open(self, queue: str) -> int:
        return int(self._rows(f"SELECT count(*) FROM calls WHERE queue = '{queue}'")[0][0])

    def _rows(self, query: str) -> list[tuple[object, ...]]:
        with opened(self._url) as database:
            return self._read(database, query)

    def _read(self, database: Database, query: str) -> list[tuple[object, ...]]:
        with database.snapshot() as session:
            return [tuple(row) for row in session.execute(text(query))]
