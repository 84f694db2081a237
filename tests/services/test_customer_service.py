"""A customer's calls: deleted in batches, handed over whole, also when something goes wrong on the way."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from app.core.exceptions import StorageUnavailable
from app.db.repositories.calls import CallRepository
from app.db.repositories.clips import ClipRepository
from app.db.repositories.retention import RetentionRepository
from app.db.session import Database
from app.schemas.retention import CustomerDeletion
from app.services import customer_archive, customer_service
from app.services.comment_service import CommentService
from app.services.customer_service import CustomerService
from app.storage.removals import RemovalKeeper
from tests.db.clip_values import clip
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.review_values import put as keep_verdict
from tests.db.review_values import review
from tests.db.values import completed, stored
from tests.services.webhooks.calls import FakeClock, Webhooks, complete, fail
from tests.storage.test_removals import Stubborn, put

__all__ = ["database", "quick_folder", "shared_database"]


@pytest.fixture
def stubborn(tmp_path: Path) -> Stubborn:
    return Stubborn(str(tmp_path))


@pytest.fixture
def storage(stubborn: Stubborn) -> RemovalKeeper:
    return RemovalKeeper(stubborn)


@pytest.fixture
def forgotten() -> list[str]:
    return []


@pytest.fixture
def customers(database: Database, storage: RemovalKeeper, forgotten: list[str]) -> CustomerService:
    return CustomerService(database, storage, forget_elsewhere=forgotten.append)


def keys(storage: RemovalKeeper) -> list[str]:
    return [file.key for file in storage.listed()]


def archive_of(customers: CustomerService, customer: str = "customer-1") -> tuple[ZipFile, dict[str, Any]]:
    found = ZipFile(io.BytesIO(b"".join(customers.export(customer))))
    assert found.testzip() is None
    manifest: dict[str, Any] = json.loads(found.read("manifest.json"))
    return found, manifest


def test_calls_go_in_batches_with_all_that_belongs_to_them(
    database: Database,
    storage: RemovalKeeper,
    customers: CustomerService,
    forgotten: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(customer_service, "DELETED_AT_A_TIME", 2)
    for number in range(5):
        completed(database, f"C{number}", number, audio_key=put(storage))
    stored(database, "QUEUED", 9, audio_key=put(storage))
    completed(database, "HELD", 10, audio_key=put(storage))
    completed(database, "OTHER", 11, audio_key=put(storage), customer_id="customer-2")
    with database.session() as session:
        RetentionRepository(session).hold("HELD", held=True)
        for call_id in ("C1", "HELD"):
            ClipRepository(session).add(clip(call_id, f"clip_{call_id}", audio_key=put(storage)))
    assert customers.delete("customer-1") == CustomerDeletion("customer-1", deleted=6, held=1)
    assert sorted(forgotten) == ["C0", "C1", "C2", "C3", "C4", "QUEUED"]
    assert len(keys(storage)) == 3  # that of the other customer, and of the held call with its clip
    assert customers.delete("customer-1") == CustomerDeletion("customer-1", deleted=0, held=1)


def test_a_deletion_that_broke_off_is_ended_by_the_next(
    database: Database,
    storage: RemovalKeeper,
    stubborn: Stubborn,
    customers: CustomerService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(customer_service, "DELETED_AT_A_TIME", 2)
    for number in range(5):
        completed(database, f"C{number}", number, audio_key=put(storage))
    stubborn.away = True
    with pytest.raises(StorageUnavailable):
        customers.delete("customer-1")
    stubborn.away = False
    assert customers.delete("customer-1") == CustomerDeletion("customer-1", deleted=3, held=0)
    storage.sweep()
    assert keys(storage) == []


def test_calls_in_every_state_are_handed_over(
    database: Database, storage: RemovalKeeper, customers: CustomerService
) -> None:
    clock = FakeClock()
    webhooks = Webhooks(database, clock)
    webhooks.register("https://public.example/hooks")
    complete(database, "DONE", clock(), audio_key=put(storage))
    fail(database, "FAILED", clock(), audio_key="0" * 32)
    stored(database, "QUEUED", audio_key=put(storage))
    keep_verdict(database, review("DONE"))
    CommentService(database).add("DONE", 1.5, "ask first", "Robin")
    with database.session() as session:
        ClipRepository(session).add(clip("DONE", audio_key=put(storage)))
        ClipRepository(session).add(clip("DONE", "clip_gone", audio_key="1" * 32))
    found, manifest = archive_of(customers)
    told = {call["call_id"]: call for call in manifest["calls"]}
    assert set(told) == {"DONE", "FAILED", "QUEUED"}
    assert told["FAILED"]["recording"] is None
    assert found.read(told["DONE"]["recording"]["file"]) == b"sound"

    def document(call_id: str, name: str) -> Any:
        (file,) = (file for file in told[call_id]["files"] if file.endswith(f"/{name}.json"))
        return json.loads(found.read(file))

    assert document("FAILED", "call")["error"]["code"] == "stt_failed"
    assert document("QUEUED", "call")["status"] == "queued"
    assert [item["event"] for item in document("DONE", "deliveries")] == ["call.completed"]
    (verdict,) = document("DONE", "reviews")
    assert (verdict["opinion"]["note"], verdict["segment"]["text"]) == (
        review().opinion.note,
        "It's too much “now”",
    )
    assert document("QUEUED", "reviews") == []
    assert [kept["clip_id"] for kept in document("DONE", "clips")] == ["clip_1", "clip_gone"]
    assert document("DONE", "clips")[0]["excerpt"][0]["text"] == "zu teuer für uns 😀"
    (sound,) = told["DONE"]["clips"]
    assert found.read(sound["file"]) == b"sound"
    assert document("QUEUED", "clips") == told["QUEUED"]["clips"] == []
    (comment,) = document("DONE", "comments")
    assert (comment["time_seconds"], comment["text"], comment["author"]) == (1.5, "ask first", "Robin")
    assert document("DONE", "version_1")["loudness"] == [[-20.1, -100.0], [-33.3, -1.5]]
    assert document("DONE", "version_1")["result"]["transcript"] == document("DONE", "call")["transcript"]
    assert document("DONE", "request")["vocabulary"] == ["Darwix", "Größe & Co"]


def test_a_call_that_is_deleted_meanwhile_is_left_out(
    database: Database, storage: RemovalKeeper, customers: CustomerService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer_archive, "PAGE", 2)
    for number in range(5):
        completed(database, f"C{number}", number, audio_key=put(storage))
    parts = customers.export("customer-1")
    first = next(parts)
    with database.session() as session:
        CallRepository(session).delete("C1")
        CallRepository(session).delete("C3")
    found = ZipFile(io.BytesIO(first + b"".join(parts)))
    manifest = json.loads(found.read("manifest.json"))
    assert [call["call_id"] for call in manifest["calls"]] == ["C0", "C2", "C4"]


class Unreadable(Stubborn):
    """A real folder whose files cannot be read while it is away, though they are there."""

    def local_path(self, key: str) -> Any:
        if self.away:
            raise StorageUnavailable("the disk is away")
        return super().local_path(key)


def test_a_recording_that_cannot_be_read_breaks_the_archive_off(database: Database, tmp_path: Path) -> None:
    place = Unreadable(str(tmp_path))
    storage = RemovalKeeper(place)
    completed(database, "A", 0, audio_key=put(storage))
    place.away = True
    sent: list[bytes] = []
    with pytest.raises(StorageUnavailable):
        sent.extend(CustomerService(database, storage, forget_elsewhere=print).export("customer-1"))
    assert b"manifest.json" not in b"".join(sent)
