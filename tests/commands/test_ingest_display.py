"""What whoever loads a catalogue gets to see."""

from __future__ import annotations

from collections import Counter
from io import StringIO

import pytest
from rich.console import Console

from app.commands import ingest_display
from app.commands.ingest_display import MOST_LISTED, BarDisplay, LineDisplay, duration, printable, state_of
from app.schemas.catalogue import Outcome, Settled
from app.workers.ingest_progress import Pace, Tally


def lines(*, list_all: bool = False) -> tuple[LineDisplay, StringIO]:
    written = StringIO()
    return LineDisplay(Console(file=written), list_all=list_all), written


def tally(**counts: int) -> Tally:
    found = Tally(total=100)
    found.counts.update({Outcome[name.upper()]: count for name, count in counts.items()})
    return found


def test_each_file_that_is_not_loaded_is_named_with_the_reason() -> None:
    display, written = lines()
    display.settled(Settled("a.wav", Outcome.LOADED))
    display.settled(Settled("[bold]b.txt", Outcome.SKIPPED, "unsupported_media", "it is a text"))
    display.settled(Settled("c\x1b[2J\n\udcff.wav", Outcome.FAILED, "unreadable", None))
    assert written.getvalue() == (
        "skipped: [bold]b.txt: unsupported_media (it is a text)\n"
        "failed: c\\x1b[2J\\n\\udcff.wav: unreadable\n"
    )


@pytest.mark.parametrize(
    ("list_all", "expected"), [(False, 2 * MOST_LISTED + 2), (True, 2 * MOST_LISTED + 20)]
)
def test_thousands_of_files_are_named_when_that_is_asked_for(list_all: bool, expected: int) -> None:
    display, written = lines(list_all=list_all)
    for number in range(MOST_LISTED + 10):
        for code in ("hidden", "missing"):
            display.settled(Settled(f"{number}", Outcome.SKIPPED, code))
    told = written.getvalue().splitlines()
    assert len(told) == expected
    assert ("further files with hidden are counted only: --verbose lists them all" in told) is not list_all


def test_elsewhere_than_on_a_terminal_there_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    display, written = lines()
    pace = Pace(lambda: 0.0)
    display.update(tally(loaded=1), pace, None)
    assert written.getvalue() == ""
    display.update(tally(loaded=2), pace, "waits: it is away")
    display.update(tally(loaded=2), pace, "waits: it is away")
    assert written.getvalue() == "2 of 100 done, 0 failed, 98 left, 0.0 a minute; waits: it is away\n"
    monkeypatch.setattr(ingest_display, "LINE_S", 0.0)
    display.update(tally(loaded=5, failed=1), pace, None)
    assert written.getvalue().endswith("\n6 of 100 done, 1 failed, 94 left, 0.0 a minute\n")


def test_a_bar_shows_the_same_on_a_terminal() -> None:
    written = StringIO()
    console = Console(file=written, force_terminal=True, width=100, color_system=None)
    with BarDisplay(console, list_all=False) as display:
        display.update(tally(loaded=40, failed=2), Pace(), None)
        display.settled(Settled("a.wav", Outcome.FAILED, "unreadable"))
    shown = written.getvalue()
    assert "42/100 2 failed, 58 left, 0.0 a minute" in shown
    assert "failed: a.wav: unreadable\n" in shown


def test_the_state_tells_how_long_it_takes() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    now = 60.0
    for _ in range(6):
        pace.add()
    told = state_of(tally(loaded=40), pace, None)
    assert told == "0 failed, 60 left, 6.0 a minute, 10 min to go"
    assert state_of(tally(loaded=100), pace, None) == "0 failed, 0 left"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (260_000, "3 days"),
    ],
)
def test_durations_are_told_as_people_do(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_nothing_moves_the_cursor() -> None:
    assert printable("Müller 日本.wav") == "Müller 日本.wav"
    assert printable("a\rb\u202ec") == "a\\rb\\u202ec"


def test_the_table_counts_by_reason() -> None:
    display, written = lines()
    found = tally(loaded=40, present=5, skipped=3, failed=2)
    found.with_warnings, found.outstanding = 4, 7
    found.skipped, found.failed = Counter(hidden=2, unsupported_media=1), Counter(missing=1, stt_failed=1)
    display.table(found)
    told = [line.split() for line in written.getvalue().splitlines()]
    assert told == [
        ["loaded", "40", "4", "with", "warnings"],
        ["already", "there", "5"],
        ["skipped", "3", "hidden", "2,", "unsupported_media", "1"],
        ["failed", "2", "missing", "1,", "stt_failed", "1"],
        ["left", "50", "7", "of", "them", "taken", "in"],
    ]
