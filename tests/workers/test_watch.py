"""Waiting for calls: one look for all, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event

from app.core.exceptions import CallInterrupted, CallNotFound, DatabaseUnavailable
from app.db.session import Database
from app.schemas.analysis import CallStatus
from app.schemas.call import ALL_QUEUES, CallRecord
from app.services.call_service import CallService
from app.services.ownership import new_owner
from app.services.room import Room
from app.services.work_service import WorkService
from app.storage.local import LocalStorage
from app.workers.watch import CallWatch
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.values import analysis, new_call
from tests.settings import make_settings

__all__ = ["database", "quick_folder", "shared_database"]


class Site:
    def __init__(self, database: Database, folder: Path) -> None:
        storage = LocalStorage.opened(make_settings(folder))
        self.database = database
        self.calls = CallService(database, storage, room=Room(100, 1), forget_elsewhere=lambda _: None)
        self.work = WorkService(database, storage, new_owner(), lease_s=30, max_attempts=3)
        self.watch = CallWatch(self.calls)

    def add(self, *call_ids: str) -> None:
        for call_id in call_ids:
            self.calls.accept(new_call(call_id, audio_key=uuid4().hex))

    def finish_one(self) -> None:
        work = self.work.take(ALL_QUEUES)
        assert work is not None
        assert self.work.complete(work.claim, analysis(work.claim.call_id))

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if "FROM calls" in statement:
                seen.append(statement)

        event.listen(self.database.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(self.database.engine, "before_cursor_execute", note)


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def watchers() -> int:
    return sum(thread.name == "watch" for thread in threading.enumerate())


def test_the_state_and_the_place_in_the_queue_of_each_are_told(site: Site) -> None:
    site.add("A", "B", "C")

    async def look() -> list[tuple[CallRecord, int | None]]:
        return await asyncio.gather(*(site.watch.next(call_id) for call_id in ("C", "A", "B", "A")))

    assert [(record.call_id, place) for record, place in asyncio.run(look())] == [
        ("C", 3), ("A", 1), ("B", 2), ("A", 1),
    ]  # fmt: skip


def test_many_wait_with_one_thread_and_one_look(site: Site) -> None:
    call_ids = [f"CALL-{number}" for number in range(20)]
    site.add(*call_ids)

    async def wait() -> None:
        waiting = [
            asyncio.ensure_future(site.watch.finished(call_id)) for call_id in call_ids for _ in range(10)
        ]
        await asyncio.sleep(0.05)
        with site.statements() as statements:
            for _ in range(3):
                await site.watch.next("CALL-0")
            assert watchers() == 1
            # Of each look: the calls, and the places in the queue of those that wait.
            assert len(statements) <= 2 * 5
        for waiter in waiting:
            waiter.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(wait())
    until = time.monotonic() + 30
    while watchers():  # nobody waits any more
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_end_of_a_call_is_heard_of_wherever_it_comes(site: Site) -> None:
    site.add("A", "B")

    async def wait() -> tuple[CallRecord, CallRecord]:
        waiting = asyncio.gather(site.watch.finished("A"), site.watch.finished("B"))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(site.finish_one)
        site.watch.nudge()
        await asyncio.to_thread(site.calls.cancel, "B")  # and nobody says so
        return await waiting

    statuses = tuple(record.status for record in asyncio.run(wait()))
    assert statuses == (CallStatus.COMPLETED, CallStatus.CANCELLED)


def test_a_call_that_is_not_there_or_is_deleted_ends_the_waiting(site: Site) -> None:
    site.add("A")

    async def wait() -> None:
        with pytest.raises(CallNotFound):
            await site.watch.finished("nobody")
        waiting = asyncio.ensure_future(site.watch.finished("A"))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(site.calls.delete, "A")
        with pytest.raises(CallNotFound):
            await waiting

    asyncio.run(wait())


def test_stopping_tells_of_ends_and_lets_the_others_go(site: Site) -> None:
    site.add("A", "B")

    async def wait() -> list[CallRecord | BaseException]:
        waiting = [asyncio.ensure_future(site.watch.finished(call_id)) for call_id in ("A", "B")]
        await asyncio.sleep(0.05)
        await asyncio.to_thread(site.finish_one)
        await asyncio.to_thread(site.watch.stop)
        with pytest.raises(CallInterrupted):
            await site.watch.next("B")
        return await asyncio.gather(*waiting, return_exceptions=True)

    ended, left = asyncio.run(wait())
    assert isinstance(ended, CallRecord)
    assert ended.status is CallStatus.COMPLETED
    assert isinstance(left, CallInterrupted)
    assert left.context == {"call_id": "B"}
    assert left.retry_after_s


def test_draining_waits_for_those_who_wait_for_an_end_and_for_no_others(site: Site) -> None:
    site.add("A", "B")

    async def wait() -> None:
        stream = asyncio.ensure_future(site.watch.next("B"))
        waiting = asyncio.ensure_future(site.watch.finished("A"))
        await asyncio.sleep(0.05)
        draining = asyncio.ensure_future(asyncio.to_thread(site.watch.drain, 60))
        await asyncio.sleep(0.05)
        assert not draining.done()
        await asyncio.to_thread(site.finish_one)
        assert (await waiting).status is CallStatus.COMPLETED
        await draining
        await stream

    asyncio.run(wait())
    site.watch.drain(0)


class AwayAtFirst:
    """A database that is away when it is first asked."""

    def __init__(self, calls: CallService, times: int) -> None:
        self._calls = calls
        self.left = times

    def states(self, call_ids: tuple[str, ...]) -> dict[str, tuple[CallRecord, int | None]]:
        if self.left:
            self.left -= 1
            raise DatabaseUnavailable
        return self._calls.states(call_ids)


def test_a_database_that_is_away_is_told_to_streams_and_outlasted_by_those_who_wait(site: Site) -> None:
    site.add("A")
    site.finish_one()
    away = AwayAtFirst(site.calls, 3)
    watch = CallWatch(away)  # type: ignore[arg-type]

    async def wait() -> CallRecord:
        with pytest.raises(DatabaseUnavailable):
            await watch.next("A")
        return await watch.finished("A")

    assert asyncio.run(wait()).status is CallStatus.COMPLETED
    assert away.left == 0
