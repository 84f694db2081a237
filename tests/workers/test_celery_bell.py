"""The bell at the broker, on real brokers: it never holds anybody up, and says what it has told."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.config import Settings
from app.db.repositories.calls import CallRepository
from app.db.session import Database
from app.schemas.call import ALL_QUEUES, Queue
from app.services.ownership import new_owner
from app.services.work_service import WorkService
from app.storage.local import LocalStorage
from app.workers.bell import LocalBell, bell_of
from app.workers.celery_app import broker_name, make_celery, queue_of
from app.workers.celery_bell import CeleryBell
from tests.db.databases import sqlite_database
from tests.db.values import new_call
from tests.process.brokers import address_of, broker_url, forget, rings_waiting, through
from tests.process.proxy import Proxy
from tests.process.service import wait_until
from tests.settings import make_settings


class Tower:
    """A bell whose broker is reached through a proxy, and calls to ring for."""

    def __init__(self, settings: Settings, database: Database, proxy: Proxy) -> None:
        self.settings = settings
        self.proxy = proxy
        storage = LocalStorage.opened(settings)
        self.work = WorkService(database, storage, new_owner(), lease_s=30, max_attempts=3)
        self._database = database
        far = settings.model_copy(update={"queue_url": through(settings.queue_url, proxy.port)})
        self.bell = CeleryBell(far, self.work)

    def ring(self, call_id: str, queue: Queue = Queue.TRANSCRIBE) -> None:
        with self._database.session() as session:
            assert CallRepository(session).insert(new_call(call_id, queue=queue), datetime.now(UTC))
        self.bell.ring(call_id, queue)

    def waiting(self) -> int:
        return rings_waiting(self.settings)

    def untold(self) -> set[str]:
        return {call_id for queue in ALL_QUEUES for call_id in self.work.untold(queue, 0, 1000)}


@pytest.fixture(params=["rabbitmq", "redis"])
def tower(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tower]:
    url = broker_url(request.param)
    settings = make_settings(tmp_path, queue_url=url, queue_prefix=f"test-{secrets.token_hex(6)}")
    proxy = Proxy(*address_of(url))
    with sqlite_database(tmp_path) as database:
        found = Tower(settings, database, proxy)
        found.bell.start()
        try:
            yield found
        finally:
            found.bell.stop()
            proxy.close()
            with suppress(OSError):
                forget(settings)


def test_what_was_rung_for_is_noted_and_holds_the_id_alone(tower: Tower) -> None:
    tower.ring("A")
    tower.ring("B", Queue.ANALYZE)
    wait_until(lambda: tower.waiting() == 2, "both rings")
    assert not tower.untold()
    with make_celery(tower.settings).connection_for_read() as connection:
        channel, name = connection.default_channel, broker_name(tower.settings, Queue.ANALYZE)
        message = channel.message_to_python(channel.basic_get(name, no_ack=True))
        assert (message.content_type, message.payload[0]) == ("application/json", ["B"])


def test_it_is_noted_before_anybody_can_hear_of_it(tower: Tower, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes a call passes over one that is being written to, and would not look for it again."""
    note, waiting = tower.work.rung, list[int]()

    def rung(call_ids: Sequence[str]) -> None:
        waiting.append(tower.waiting())
        note(call_ids)

    monkeypatch.setattr(tower.work, "rung", rung)
    tower.ring("A")
    wait_until(lambda: tower.waiting() == 1, "the ring")
    assert waiting == [0]


def test_a_broker_that_is_away_costs_the_ring_and_nothing_else(tower: Tower) -> None:
    tower.ring("BEFORE")
    wait_until(lambda: tower.waiting() == 1, "the first ring")
    tower.proxy.leave()
    tower.ring("LOST")
    wait_until(lambda: tower.bell._is_away, "the bell to have tried")
    wait_until(lambda: tower.untold() == {"LOST"}, "it to be taken back")
    tower.proxy.come_back()
    number = 0
    while tower.waiting() < 2:
        number += 1
        tower.ring(f"AFTER-{number}")
        wait_until(tower.bell._rings.empty, "the bell to have taken it")
    assert "LOST" in tower.untold()
    assert "BEFORE" not in tower.untold()


def test_the_last_rings_are_sent_before_it_stops(tower: Tower) -> None:
    for number in range(5):
        tower.ring(f"CALL-{number}")
    tower.bell.stop()
    assert not tower.untold()


def test_queues_are_named_after_the_installation(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, queue_url="redis://127.0.0.1:1", queue_prefix="acme")
    assert [broker_name(settings, queue) for queue in ALL_QUEUES] == [
        "acme.transcribe",
        "acme.analyze",
        "acme.bulk",
    ]
    assert queue_of(settings, "acme.bulk") is Queue.BULK


def test_without_a_broker_the_bell_is_that_of_this_process(tmp_path: Path) -> None:
    with sqlite_database(tmp_path) as database:
        settings = make_settings(tmp_path)
        work = WorkService(database, LocalStorage.opened(settings), "me", lease_s=30, max_attempts=3)
        assert isinstance(bell_of(settings, work, None), LocalBell)  # type: ignore[arg-type]
        far = make_settings(tmp_path, queue_url="amqp://127.0.0.1:1")
        assert isinstance(bell_of(far, work, None), CeleryBell)  # type: ignore[arg-type]
