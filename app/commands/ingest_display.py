"""How the loading of a back catalogue looks: a bar on a terminal, plain lines now and then elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column, Table

from app.schemas.catalogue import Outcome, Settled
from app.workers.ingest_progress import Audience, Pace, Tally

MOST_LISTED = 100
"""Files named for one reason."""
LINE_S = 15.0
_STDERR = 2
_LAST_LINES_S = 0.2


class Display(Audience):
    """What both ways have in common: a line for each file that was skipped or failed, and a table at the end.

    Names of files appear here and nowhere else: this is for whoever owns them, a log is for others too.
    """

    def __init__(self, console: Console, *, list_all: bool) -> None:
        self._console = console
        self._list_all = list_all
        self._listed: Counter[str] = Counter()

    @property
    def is_on_terminal(self) -> bool:
        return self._console.is_terminal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is to be shown any more but lines."""

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def settled(self, settled: Settled) -> None:
        if settled.code is None:
            return
        self._listed[settled.code] += 1
        count = self._listed[settled.code]
        if self._list_all or count <= MOST_LISTED:
            why = f" ({settled.detail})" if settled.detail else ""
            self.say(f"{settled.outcome}: {printable(settled.name)}: {settled.code}{printable(why)}")
        elif count == MOST_LISTED + 1:
            self.say(f"further files with {settled.code} are counted only: --verbose lists them all")

    def table(self, tally: Tally) -> None:
        """What became of the catalogue."""
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(justify="right")
        table.add_column(overflow="fold")
        warned = f"{tally.with_warnings} with warnings" if tally.with_warnings else ""
        rows = [
            (Outcome.LOADED, warned),
            (Outcome.QUEUED, ""),
            (Outcome.PRESENT, ""),
            (Outcome.SKIPPED, _by_code(tally.skipped)),
            (Outcome.FAILED, _by_code(tally.failed)),
        ]
        for outcome, more in rows:
            if outcome is not Outcome.QUEUED or tally.counts[outcome]:
                table.add_row(outcome.value, str(tally.counts[outcome]), more)
        if tally.left:
            table.add_row("left", str(tally.left), f"{tally.outstanding} of them taken in")
        self._console.print(table, markup=False, highlight=False)


class LineDisplay(Display):
    """Where there is no terminal."""

    def __init__(self, console: Console, *, list_all: bool) -> None:
        super().__init__(console, list_all=list_all)
        self._told_at = time.monotonic()
        self._note: str | None = None

    def update(self, tally: Tally, pace: Pace, note: str | None) -> None:
        is_new = note is not None and note != self._note
        self._note = note
        if is_new or time.monotonic() - self._told_at >= LINE_S:
            self._told_at = time.monotonic()
            self.say(f"{tally.counts.total()} of {tally.total} done, {state_of(tally, pace, note)}")


class BarDisplay(Display):
    """On a terminal. What else is written to it, by child processes too, appears above the bar."""

    def __init__(self, console: Console, *, list_all: bool) -> None:
        super().__init__(console, list_all=list_all)
        one_line = Column(no_wrap=True, overflow="ellipsis")
        self._bar = Progress(
            BarColumn(24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", table_column=one_line, markup=False),
            console=console,
            refresh_per_second=4,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("", total=None, state="")
        self._above = _above(self) if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        if self._above is not None:
            self._above.__enter__()
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._above is not None:
            self._above.__exit__(kind, error, trace)
        self._bar.stop()

    def update(self, tally: Tally, pace: Pace, note: str | None) -> None:
        done, total = tally.counts.total(), tally.total
        self._bar.update(self._task, completed=done, total=total, state=state_of(tally, pace, note))


def open_display(*, list_all: bool) -> Display:
    """The one that suits standard output."""
    console = Console(emoji=False)  # a name such as a:ring:.wav stays as it is
    return (BarDisplay if console.is_terminal else LineDisplay)(console, list_all=list_all)


def state_of(tally: Tally, pace: Pace, note: str | None) -> str:
    """One line: failed, left, calls a minute, time left, and what is waited for."""
    parts = [f"{tally.counts[Outcome.FAILED]} failed", f"{tally.left} left"]
    if tally.left:
        parts.append(f"{pace.per_minute:.1f} a minute")
        left_s = pace.left_s(tally.left)
        if left_s is not None:
            parts.append(f"{duration(left_s)} to go")
    return ", ".join(parts) + (f"; {note}" if note else "")


def duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``2 h 05 min``, ``3 days``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours < 48 else f"{round(hours / 24)} days"


def printable(text: str) -> str:
    """As it is, but for what would move the cursor or is no character."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def _by_code(reasons: Counter[str]) -> str:
    return ", ".join(f"{code} {count}" for code, count in reasons.most_common())


@contextmanager
def _above(display: Display) -> Iterator[None]:
    """Standard error of this process and of those that it starts goes, line by line, to ``display``."""
    sys.stderr.flush()
    kept = os.dup(_STDERR)
    reading, writing = os.pipe()
    os.dup2(writing, _STDERR)
    os.close(writing)
    reader = threading.Thread(target=_show_lines, args=(reading, display), name="stderr", daemon=True)
    reader.start()
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, _STDERR)  # closes the pipe's end of this process
        os.close(kept)
        reader.join(_LAST_LINES_S)  # a child that still lives has an end of its own


def _show_lines(reading: int, display: Display) -> None:
    with os.fdopen(reading, encoding="utf-8", errors="backslashreplace") as lines:
        for line in lines:
            display.say(line.rstrip("\r\n"))
