"""The loop that sends webhooks: it starts and stops, keeps receivers apart, and outlives a kill."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from app.core.clock import utc_now
from app.db.session import Database
from app.schemas.webhook import DeliveryStatus
from app.workers.deliveries import SENDERS_EACH, DeliveryLoop
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.databases import url_of
from tests.services.webhooks.calls import FakeClock, Webhooks, complete, rows
from tests.services.webhooks.receiver import Received, receiving
from tests.workers.delivery_processes import deliver_until_killed

__all__ = ["database", "quick_folder", "shared_database"]

KILLS = 20
WAIT_S = 60


@pytest.fixture
def webhooks(database: Database) -> Iterator[Webhooks]:
    found = Webhooks(database, FakeClock())
    found.deliveries._clock = utc_now
    yield found


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.02)


def _states(database: Database) -> Counter[str]:
    return Counter(row["status"] for row in rows(database))


def test_what_is_due_is_sent_and_the_loop_ends_when_it_is_told(webhooks: Webhooks) -> None:
    with receiving() as receiver:
        webhooks.register(receiver.url())
        loop = DeliveryLoop(webhooks.deliveries)
        loop.start()
        for number in range(30):
            complete(webhooks.database, f"CALL-{number}", datetime.now(UTC))
        _wait_until(lambda: _states(webhooks.database) == {"delivered": 30}, "all to be delivered")
        loop.stop(10)
        assert not any(thread.is_alive() for thread in loop._threads)
        assert len(receiver.received) == 30
        complete(webhooks.database, "CALL-later", datetime.now(UTC))
        time.sleep(0.2)
        assert len(receiver.received) == 30


def test_a_receiver_that_hangs_does_not_hold_up_another(webhooks: Webhooks) -> None:
    release = threading.Event()
    with receiving() as hanging, receiving() as quick:
        hanging.on_request = lambda _: release.wait(WAIT_S)
        slow_endpoint, endpoint = webhooks.register(hanging.url()), webhooks.register(quick.url())
        for number in range(20):
            complete(webhooks.database, f"CALL-{number}", datetime.now(UTC))
        loop = DeliveryLoop(webhooks.deliveries)
        loop.start()
        _wait_until(lambda: len(quick.received) == 20, "the quick one to have all")
        assert len(hanging.received) <= SENDERS_EACH
        release.set()
        _wait_until(lambda: _states(webhooks.database) == {"delivered": 40}, "the rest")
        loop.stop(10)
        for found in (slow_endpoint, endpoint):
            assert {delivery.status for delivery in webhooks.of(found)} == {DeliveryStatus.DELIVERED}


class Killer:
    """Ends a process when its first message has arrived: before the receiver answers, or as it does."""

    def __init__(self, *, answered: bool) -> None:
        self._answered = answered
        self._first = threading.Lock()
        self._pid: queue.Queue[int] = queue.Queue()

    def aim(self, pid: int) -> None:
        self._pid.put(pid)

    def __call__(self, _: Received) -> None:
        if not self._first.acquire(blocking=False):
            return
        pid = self._pid.get(timeout=WAIT_S)
        if self._answered:
            threading.Timer(0.001, os.kill, (pid, signal.SIGKILL)).start()
        else:
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("answered", [False, True], ids=["before the answer", "with the answer"])
def test_a_kill_between_send_and_mark_loses_nothing(webhooks: Webhooks, answered: bool) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["psycopg", "tests.workers.delivery_processes"])
    with receiving() as receiver:
        webhooks.register(receiver.url())
        for number in range(KILLS // 2):
            complete(webhooks.database, f"CALL-{number}", datetime.now(UTC))
            receiver.on_request = killer = Killer(answered=answered)
            worker = context.Process(target=deliver_until_killed, args=(url_of(webhooks.database),))
            worker.start()
            assert worker.pid is not None
            killer.aim(worker.pid)
            worker.join(WAIT_S)
            assert worker.exitcode == -signal.SIGKILL
            worker.close()
        receiver.on_request = lambda _: None
        loop = DeliveryLoop(webhooks.deliveries)
        loop.start()
        _wait_until(lambda: _states(webhooks.database) == {"delivered": KILLS // 2}, "all to be delivered")
        loop.stop(10)
        arrived = Counter(received.id for received in receiver.received)
    assert set(arrived) == {row["id"] for row in rows(webhooks.database)}
    if not answered:
        assert arrived.total() >= KILLS // 2 + 1  # what a killed process had in hand came again, with its id
