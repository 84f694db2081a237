"""All calls of a customer: listed in their order, deleted but for those that are held."""

from __future__ import annotations

import threading

import pytest

from app.core.exceptions import LegalHold
from app.db.repositories.calls import CallRepository
from app.db.repositories.customers import CustomerRepository
from app.db.repositories.retention import RetentionRepository
from app.db.session import Database
from tests.db.values import completed, stored


def _hold(database: Database, call_id: str) -> None:
    with database.session() as session:
        assert RetentionRepository(session).hold(call_id, held=True)


def _left(database: Database) -> list[str]:
    with database.snapshot() as session:
        customers = CustomerRepository(session)
        return [call.call_id for name in ("one", "two") for call in customers.page(name, None, 100)]


def test_pages_are_oldest_first_and_of_one_customer(database: Database) -> None:
    for number in range(5):
        stored(database, f"C{4 - number}", number // 2, customer_id="one")
    stored(database, "X", customer_id="two")
    with database.snapshot() as session:
        customers = CustomerRepository(session)
        first = customers.page("one", None, 3)
        rest = customers.page("one", first[-1], 3)
        assert [call.call_id for call in (*first, *rest)] == ["C3", "C4", "C1", "C2", "C0"]
        assert customers.page("one", rest[-1], 3) == ()
        assert customers.page("nobody", None, 3) == ()


def test_a_deletion_spares_the_held_and_other_customers(database: Database) -> None:
    for call_id in ("A", "B", "C"):
        completed(database, call_id, 0, ("objection",), customer_id="one")
    stored(database, "X", customer_id="two")
    _hold(database, "B")
    with database.session() as session:
        customers = CustomerRepository(session)
        assert [call.record.call_id for call in customers.delete("one", 1)] == ["A"]
        assert [call.file_keys for call in customers.delete("one", 9)] == [("audio/C",)]
        assert customers.delete("one", 9) == ()
        assert (customers.held("one"), customers.held("two")) == (1, 0)
    assert _left(database) == ["B", "X"]


def test_deletions_and_holds_at_the_same_time_leave_each_call_whole_or_gone(database: Database) -> None:
    for number in range(20):
        completed(database, f"C{number:02}", number, customer_id="one")
    gone: list[str] = []
    held: list[str] = []
    ready = threading.Barrier(3)

    def delete() -> None:
        ready.wait()
        while True:
            with database.session() as session:
                found = CustomerRepository(session).delete("one", 2)
            if not found:
                return
            gone.extend(call.record.call_id for call in found)

    def hold() -> None:
        ready.wait()
        for number in reversed(range(20)):
            with database.session() as session:
                if RetentionRepository(session).hold(f"C{number:02}", held=True):
                    held.append(f"C{number:02}")

    threads = [threading.Thread(target=work) for work in (delete, delete, hold)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(gone + held) == [f"C{number:02}" for number in range(20)]
    assert sorted(_left(database)) == sorted(held)


def test_a_held_call_cannot_be_deleted_by_its_id_either(database: Database) -> None:
    completed(database, "A", 0)
    _hold(database, "A")
    with pytest.raises(LegalHold, match="call A is under legal hold"), database.session() as session:
        CallRepository(session).delete("A")
    with database.snapshot() as session:
        assert CallRepository(session).get("A") is not None
