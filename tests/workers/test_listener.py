"""The ear at the broker, on real brokers: it hears what it listens to, and leaves the rest to others."""

from __future__ import annotations

import gc
import logging
import secrets
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.core.config import Settings
from app.schemas.call import ALL_QUEUES, Queue
from app.workers.celery_app import TASK, broker_name, make_celery
from app.workers.listener import Listener
from tests.process.brokers import address_of, broker_url, forget, rings_waiting, through
from tests.process.proxy import Proxy
from tests.process.service import wait_until
from tests.settings import make_settings

# Celery leaves the sockets of lost connections to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

EVERYTHING = frozenset(ALL_QUEUES)


class Ear:
    """A listener behind a proxy, what it heard, and whether there is room."""

    def __init__(self, settings: Settings, proxy: Proxy) -> None:
        self.proxy = proxy
        self._direct = settings
        self._celery = make_celery(settings)
        self.heard: list[Queue] = []
        self.connections: list[bool] = []
        self.has_room = threading.Event()
        self.has_room.set()
        far = settings.model_copy(update={"queue_url": through(settings.queue_url, proxy.port)})
        self.listener = Listener(far, ALL_QUEUES, on_ring=self._hear, on_connection=self.connections.append)

    def ring(self, queue: Queue) -> None:
        with self._celery.connection_for_write() as connection:
            name = broker_name(self._direct, queue)
            self._celery.send_task(TASK, args=["CALL-1"], queue=name, connection=connection)

    def close(self) -> None:
        self.listener.stop()
        wait_until(lambda: not self.listener.is_alive, "the listener to end")
        self.proxy.close()
        with suppress(OSError):
            forget(self._direct)
        gc.collect()

    def waiting(self) -> int:
        return rings_waiting(self._direct)

    def start(self) -> None:
        self.listener.start()
        wait_until(lambda: self.connections == [True], "a connection")

    def _hear(self, queue: Queue) -> bool:
        self.heard.append(queue)
        return self.has_room.is_set()


@pytest.fixture(params=["rabbitmq", "redis"])
def ear(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ear]:
    url = broker_url(request.param)
    settings = make_settings(tmp_path, queue_url=url, queue_prefix=f"test-{secrets.token_hex(6)}")
    proxy = Proxy(*address_of(url))
    found = Ear(settings, proxy)
    try:
        yield found
    finally:
        found.close()


def test_it_hears_which_queue_was_rung_for(ear: Ear) -> None:
    ear.start()
    assert ear.listener.is_connected
    ear.listener.listen_to(EVERYTHING)
    for queue in ALL_QUEUES:
        ear.ring(queue)
    wait_until(lambda: len(ear.heard) == 3, "three rings")
    assert set(ear.heard) == EVERYTHING
    assert ear.waiting() == 0


def test_it_hears_nothing_that_it_does_not_listen_to(ear: Ear) -> None:
    ear.start()
    ear.listener.listen_to(frozenset({Queue.ANALYZE}))
    ear.ring(Queue.TRANSCRIBE)
    ear.ring(Queue.ANALYZE)
    wait_until(lambda: ear.heard == [Queue.ANALYZE], "its ring")
    assert ear.waiting() == 1
    ear.listener.listen_to(EVERYTHING)
    wait_until(lambda: ear.heard == [Queue.ANALYZE, Queue.TRANSCRIBE], "the other ring")
    ear.has_room.clear()
    ear.listener.listen_to(frozenset())
    ear.ring(Queue.BULK)
    wait_until(lambda: ear.waiting() == 1, "a ring to wait")


def test_a_ring_that_is_of_no_use_goes_back_for_others(ear: Ear) -> None:
    ear.has_room.clear()
    ear.start()
    ear.listener.listen_to(EVERYTHING)
    ear.ring(Queue.TRANSCRIBE)
    wait_until(lambda: len(ear.heard) >= 2, "the ring to come again")
    ear.listener.listen_to(frozenset())
    wait_until(lambda: ear.waiting() == 1, "the ring to wait for others")


def test_rings_that_go_back_leave_next_to_nothing_behind(ear: Ear, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that is busy all day sends back thousands: what they leave for Python's rarest collection to
    find is memory that grows."""
    caplog.set_level(logging.CRITICAL, logger="celery")  # what is captured is kept, with all that it tells of
    ear.has_room.clear()
    ear.start()
    ear.listener.listen_to(EVERYTHING)
    ear.ring(Queue.TRANSCRIBE)
    wait_until(lambda: len(ear.heard) >= 5, "the ring to come again and again")
    gc.collect()
    gc.disable()
    try:
        before = len(ear.heard)
        wait_until(lambda: len(ear.heard) >= before + 40, "it to come 40 times more")
        left = gc.collect()
    finally:
        gc.enable()
    assert left < 5 * (len(ear.heard) - before)


def test_after_a_lost_connection_it_listens_to_the_same(ear: Ear) -> None:
    """Celery itself forgets what was added at run time."""
    ear.start()
    ear.listener.listen_to(EVERYTHING)
    ear.listener.listen_to(frozenset({Queue.ANALYZE}))
    ear.ring(Queue.ANALYZE)
    wait_until(lambda: len(ear.heard) == 1, "its ring")
    ear.proxy.cut()
    wait_until(lambda: ear.connections[-2:] == [False, True], "another connection")
    ear.ring(Queue.TRANSCRIBE)
    ear.ring(Queue.ANALYZE)
    wait_until(lambda: len(ear.heard) >= 2 and ear.waiting() == 1, "its ring, and the other to be left")
    assert set(ear.heard) == {Queue.ANALYZE}


def test_it_hears_again_after_being_cut_off_in_the_middle_of_a_ring(ear: Ear) -> None:
    """Whatever was not acknowledged then: Celery alone would wait for it, and hear nothing ever after."""
    ear.start()
    ear.listener.listen_to(EVERYTHING)
    for _ in range(15):
        heard = len(ear.heard)
        ear.ring(Queue.TRANSCRIBE)
        wait_until(lambda heard=heard: len(ear.heard) > heard, "the ring")  # type: ignore[misc]
        ear.proxy.cut()


def test_without_a_broker_it_tries_until_there_is_one(ear: Ear) -> None:
    ear.proxy.leave()
    ear.listener.start()
    ear.listener.listen_to(EVERYTHING)
    ear.ring(Queue.TRANSCRIBE)
    assert not ear.listener.is_connected
    assert ear.listener.is_alive
    ear.proxy.come_back()
    wait_until(lambda: ear.heard == [Queue.TRANSCRIBE], "the ring")
