"""A run through a catalogue: bounded, patient, stopped at any moment, told of as it goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core.exceptions import (
    AppError,
    DatabaseUnavailable,
    InsufficientStorage,
    StageFailed,
    UndecodableAudio,
)
from app.db.session import Database
from app.schemas.call import CallRecord, Queue
from app.schemas.catalogue import Catalogue, Outcome, Recording, Settled
from app.workers import ingest
from app.workers.ingest import Ingest
from app.workers.ingest_progress import PACE_S, Audience, Pace, Stopping, Tally
from tests.catalogues import Site
from tests.db.conftest import database, quick_folder, shared_database
from tests.process.service import tone, wait_until

__all__ = ["database", "quick_folder", "shared_database"]


class Bell:
    def __init__(self) -> None:
        self.rung: list[tuple[str, Queue]] = []

    def ring(self, call_id: str, queue: Queue) -> None:
        self.rung.append((call_id, queue))


class Listener(Audience):
    def __init__(self) -> None:
        self.heard: list[Settled] = []
        self.notes: set[str] = set()

    def settled(self, settled: Settled) -> None:
        self.heard.append(settled)

    def update(self, tally: Tally, pace: Pace, note: str | None) -> None:
        self.notes.add(note or "")


class Load:
    """One run and those who watch it."""

    def __init__(self, site: Site, **options: object) -> None:
        self.bell, self.listener, self.stopping = Bell(), Listener(), Stopping()
        self.run = Ingest(
            site.another(),
            self.bell,
            self.listener,
            self.stopping,
            **options,  # type: ignore[arg-type]
        )

    def outcomes(self) -> dict[str, str]:
        return {settled.name: settled.outcome.value for settled in self.listener.heard}


@pytest.fixture
def site(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(ingest, "POLL_S", 0.02)
    monkeypatch.setattr(ingest, "AGAIN_S", 0.02)
    site = Site(database, tmp_path)
    yield site
    for service in site.services:
        service.close()


@contextmanager
def worked_on(site: Site, work: Callable[[], None]) -> Iterator[None]:
    """Somebody does ``work`` again and again while calls wait."""
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            if site.service.queue()[0]:
                work()
            else:
                done.wait(0.005)

    worker = threading.Thread(target=serve)
    worker.start()
    try:
        yield
    finally:
        done.set()
        worker.join()


def files(site: Site, count: int) -> tuple[Recording, ...]:
    return tuple(site.file(f"{n:02}.wav", tone(0.05, 300 + 10 * n)) for n in range(count))


def test_only_so_many_wait_at_a_time_and_all_are_loaded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "MOST_WAITING", 3)
    recordings, waiting, load = files(site, 12), [], Load(site)

    def work() -> None:
        waiting.append(site.service.queue()[0])
        site.finish()

    with worked_on(site, work):
        load.run.run(Catalogue(recordings))
    assert 0 < max(waiting) <= 3
    assert load.outcomes() == {f"{n:02}.wav": "loaded" for n in range(12)}
    assert load.bell.rung == [(recording.call_id, Queue.BULK) for recording in recordings]
    assert (load.run.tally.left, load.run.tally.counts) == (0, {Outcome.LOADED: 12})
    assert len(site.stored()) == 12


def test_a_run_that_is_stopped_is_gone_on_with(site: Site) -> None:
    recordings, first = files(site, 9), Load(site)
    calls = iter(range(4))

    def work() -> None:
        site.finish()
        if next(calls, None) == 3:
            first.stopping.set()

    with worked_on(site, work):
        first.run.run(Catalogue(recordings))
    first.run.look_back()
    loaded = first.run.tally.counts[Outcome.LOADED]
    assert loaded >= 4
    again = Load(site)
    with worked_on(site, site.finish):
        again.run.run(Catalogue(recordings))
    assert set(again.outcomes()) == {f"{n:02}.wav" for n in range(9)}
    assert again.run.tally.counts[Outcome.LOADED] + again.run.tally.counts[Outcome.PRESENT] == 9
    assert len(site.stored()) == 9


def test_what_was_settled_before_and_what_is_refused_count_too(site: Site) -> None:
    page = site.file("page.html", b"<html>")
    asked_for = Recording("asked.html", page.path, "CALL-ASKED", is_asked_for=True)
    gone = Recording("gone.wav", site.folder / "gone.wav", "CALL-GONE")
    hidden = Settled(".hidden", Outcome.SKIPPED, "hidden")
    load = Load(site)
    load.run.run(Catalogue((page, asked_for, gone), (hidden,)))
    assert {(item.name, item.outcome.value, item.code) for item in load.listener.heard} == {
        (".hidden", "skipped", "hidden"),
        ("page.html", "skipped", "unsupported_media"),
        ("asked.html", "failed", "unsupported_media"),
        ("gone.wav", "failed", "unreadable"),
    }
    assert load.run.tally.failed == {"unsupported_media": 1, "unreadable": 1}
    assert (load.run.tally.total, load.run.tally.left) == (4, 0)


def test_failed_calls_are_told_and_tried_again_when_that_is_asked_for(site: Site) -> None:
    (recording,), load = files(site, 1), Load(site)

    def fail() -> None:
        site.work.fail(site.take().claim, UndecodableAudio("noise"), "decode", drop_audio=True)

    with worked_on(site, fail):
        load.run.run(Catalogue((recording,)))
    assert load.listener.heard == [Settled("00.wav", Outcome.FAILED, "undecodable_audio", "noise")]
    again, retried = Load(site), Load(site, retry_failed=True)
    again.run.run(Catalogue((recording,)))
    assert again.run.tally.failed == {"undecodable_audio": 1}
    with worked_on(site, site.finish):
        retried.run.run(Catalogue((recording,)))
    assert retried.outcomes() == {"00.wav": "loaded"}


def test_a_service_that_fails_again_and_again_is_not_given_the_rest(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "MOST_FAILURES_IN_A_ROW", 3)
    monkeypatch.setattr(ingest, "MOST_WAITING", 2)
    recordings, load = files(site, 30), Load(site)

    def fail() -> None:
        site.work.fail(site.take().claim, StageFailed("stt", "no memory"), "transcribe", drop_audio=False)

    with worked_on(site, fail):
        load.run.run(Catalogue(recordings))
    assert load.run.halted_by == "stt_failed"
    assert 3 <= load.run.tally.counts[Outcome.FAILED] < 30


def test_bad_recordings_in_a_row_are_no_reason_to_stop(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "MOST_FAILURES_IN_A_ROW", 3)
    recordings, load = files(site, 8), Load(site)

    def fail() -> None:
        site.work.fail(site.take().claim, UndecodableAudio("noise"), "decode", drop_audio=True)

    with worked_on(site, fail):
        load.run.run(Catalogue(recordings))
    assert load.run.halted_by is None
    assert load.run.tally.failed == {"undecodable_audio": 8}


def test_calls_are_only_queued_when_nobody_is_to_wait(site: Site) -> None:
    load = Load(site, wait=False)
    load.run.run(Catalogue(files(site, 5)))
    assert set(load.outcomes().values()) == {"queued"}
    assert site.service.queue() == (5, 0)


def test_calls_that_nobody_begins_are_told_of(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "UNTOUCHED_S", 0.1)
    load = Load(site)
    runner = threading.Thread(target=load.run.run, args=(Catalogue(files(site, 2)),))
    runner.start()
    wait_until(lambda: any("is a service or a worker running?" in note for note in load.listener.notes), "it")
    load.stopping.set()
    runner.join()
    assert load.run.tally.outstanding == 2


@pytest.mark.parametrize("failure", [DatabaseUnavailable("it is away"), InsufficientStorage("it is full")])
def test_what_is_away_or_full_is_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch, failure: AppError
) -> None:
    load, known, failures = Load(site), site.service.known, iter([failure] * 3)

    def sometimes(call_ids: tuple[str, ...]) -> dict[str, CallRecord]:
        error = next(failures, None)
        if error is not None:
            raise error
        return known(call_ids)

    monkeypatch.setattr(site.services[-1], "known", sometimes)
    with worked_on(site, site.finish):
        load.run.run(Catalogue(files(site, 3)))
    assert load.run.tally.counts == {Outcome.LOADED: 3}
    assert f"waits: {failure.detail}" in load.listener.notes


def test_what_stays_away_ends_the_run(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    load = Load(site, patience_s=0.1)

    def away(_: object) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(site.services[-1], "known", away)
    with pytest.raises(DatabaseUnavailable):
        load.run.run(Catalogue(files(site, 3)))
    assert load.run.tally.left == 3


def test_the_pace_is_that_of_the_last_minutes() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    assert (pace.per_minute, pace.left_s(10)) == (0, None)
    for _ in range(30):
        now += 2
        pace.add()
    assert (pace.per_minute, pace.left_s(10)) == (30, 20)
    for _ in range(150):
        now += 4
        pace.add()
    assert pace.per_minute == pytest.approx(15, rel=0.02)
    now += 2 * PACE_S
    assert pace.per_minute == 0


def test_a_wait_ends_when_it_is_to() -> None:
    stopping = Stopping()
    timer = threading.Timer(0.2, stopping.set)
    timer.start()
    stopping.wait(3600)
    assert stopping.is_set()
    timer.join()
