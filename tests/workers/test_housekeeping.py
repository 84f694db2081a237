"""Chores: at the start and again when they are due, each for itself, whatever becomes of the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app.core.exceptions import StorageUnavailable
from app.workers import housekeeping
from app.workers.housekeeping import Housekeeping

WAIT_S = 20


@pytest.fixture
def stopping() -> Iterator[threading.Event]:
    stopping = threading.Event()
    yield stopping
    stopping.set()


class Chore:
    """Counts how often it was done; ``done`` is set once it was done ``enough`` times."""

    def __init__(self, pause_s: float, enough: int, error: Exception | None = None) -> None:
        self.count = 0
        self.done = threading.Event()
        self._pause_s = pause_s
        self._enough = enough
        self._error = error

    def __call__(self) -> float:
        self.count += 1
        if self.count >= self._enough:
            self.done.set()
        if self._error is not None:
            raise self._error
        return self._pause_s


def test_each_is_done_at_the_start_and_when_it_is_due(stopping: threading.Event) -> None:
    often, seldom = Chore(0.001, 3), Chore(3600, 1)
    Housekeeping({"often": often, "seldom": seldom}, stopping).start()
    assert often.done.wait(WAIT_S)
    assert seldom.done.wait(WAIT_S)
    assert seldom.count == 1


@pytest.mark.parametrize("error", [StorageUnavailable("away"), RuntimeError("a mistake")])
def test_one_that_fails_is_tried_again_and_holds_up_no_other(
    stopping: threading.Event, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(housekeeping, "AGAIN_S", 0.001)
    failing, other = Chore(3600, 3, error), Chore(0.001, 3)
    Housekeeping({"failing": failing, "other": other}, stopping).start()
    assert failing.done.wait(WAIT_S)
    assert other.done.wait(WAIT_S)


def test_none_begins_once_the_service_stops(stopping: threading.Event) -> None:
    stopping.set()
    chore = Chore(0.001, 1)
    keeper = Housekeeping({"chore": chore}, stopping)
    keeper.start()
    for thread in threading.enumerate():
        if thread.name == "chore":
            thread.join(WAIT_S)
    assert chore.count == 0
