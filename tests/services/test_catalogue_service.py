"""One recording of a back catalogue: where it stands, and that its bytes are stored once or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.exceptions import (
    CallExists,
    DatabaseUnavailable,
    EmptyAudio,
    InsufficientStorage,
    StorageUnavailable,
    UndecodableAudio,
    UnsupportedMedia,
    UploadTooLarge,
)
from app.db.session import Database
from app.schemas.call import CallOptions, NewCall, Queue
from app.schemas.catalogue import Outcome, Settled
from app.services import catalogue_service
from app.services.call_service import Intake
from app.services.catalogue.files import FileUnusable
from app.services.catalogue_service import Next
from app.storage.base import StoredFile
from app.storage.local import LocalWriter
from tests.catalogues import FlakyCalls, Site
from tests.db.conftest import database, quick_folder, shared_database
from tests.process.service import tone

__all__ = ["database", "quick_folder", "shared_database"]


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Iterator[Site]:
    site = Site(database, tmp_path)
    yield site
    for service in site.services:
        service.close()
    assert not list(site.notes.glob("*")), "a note was left"
    assert not list((site.storage.root / "incoming").glob("*")), "an upload was left"


def test_a_recording_goes_behind_all_others_with_all_that_is_known_of_it(site: Site) -> None:
    recording = site.file(
        agent_id="agent-7",
        team_id="emea",
        options=CallOptions("en"),
        direction="inbound",
        metadata={"a": "b"},
    )
    assert site.standing(recording) is Next.TAKE_IN
    assert site.load(recording) is Intake.STARTED
    record = site.record(recording)
    assert record is not None
    assert (record.queue, record.agent_id, record.team_id) == (Queue.BULK, "agent-7", "emea")
    assert record.direction == "inbound"
    assert (record.options, record.metadata) == (CallOptions("en"), {"a": "b"})
    with site.storage.local_path(site.stored()[0]) as path:
        assert path.read_bytes() == recording.path.read_bytes()
    assert site.service.queue() == (1, 0)
    site.take()
    assert site.service.queue() == (0, 1)


def test_what_is_there_is_not_stored_again(site: Site) -> None:
    recording = site.file()
    site.load(recording)
    assert site.standing(recording) is Next.WAIT_FOR
    site.finish()
    assert site.standing(recording) == Settled("a.wav", Outcome.PRESENT)
    assert len(site.stored()) == 1


def test_a_call_that_others_serve_first_is_not_waited_for(site: Site) -> None:
    recording = site.file()
    new = site.service.store(recording)
    site.calls.accept(NewCall(**{**vars(new), "queue": Queue.TRANSCRIBE}))
    assert site.standing(recording) == Settled("a.wav", Outcome.PRESENT)
    assert site.service.take_in(new) is Intake.JOINED


@pytest.mark.parametrize("change", ["bytes", "size", "options"])
def test_another_recording_under_the_same_id_is_refused(site: Site, change: str) -> None:
    site.load(site.file())
    data = tone(0.1, 500) if change == "bytes" else tone(0.2) if change == "size" else None
    options = CallOptions("de") if change == "options" else CallOptions()
    other = site.file(data=data, options=options)
    standing = site.standing(other)
    assert isinstance(standing, Settled)
    assert (standing.outcome, standing.code) == (Outcome.FAILED, "call_exists")
    with pytest.raises(CallExists):
        site.load(other)
    assert len(site.stored()) == 1


def test_a_failed_call_is_tried_again_when_that_is_asked_for(site: Site) -> None:
    recording = site.file()
    site.load(recording)
    site.work.fail(site.take().claim, UndecodableAudio("noise"), "decode", drop_audio=False)
    failed = Settled("a.wav", Outcome.FAILED, "undecodable_audio", "in an earlier run: noise")
    assert site.standing(recording) == failed
    assert site.standing(recording, retry_failed=True) is Next.TAKE_IN
    assert site.load(recording) is Intake.STARTED
    assert len(site.stored()) == 1
    site.finish()
    assert site.standing(recording, retry_failed=True) == Settled("a.wav", Outcome.PRESENT)


def test_a_cancelled_call_is_left_alone(site: Site) -> None:
    recording = site.file()
    site.load(recording)
    site.calls.cancel(recording.call_id)
    for retry_failed in (False, True):
        standing = site.standing(recording, retry_failed=retry_failed)
        assert isinstance(standing, Settled)
        assert (standing.outcome, standing.code) == (Outcome.SKIPPED, "cancelled")


def test_what_became_of_a_call_that_was_waited_for(site: Site) -> None:
    recording = site.file()
    site.load(recording)
    assert site.service.settled(recording, site.record(recording)) is None
    site.finish()
    loaded = site.service.settled(recording, site.record(recording))
    assert loaded is not None and loaded.outcome is Outcome.LOADED
    site.calls.delete(recording.call_id)
    gone = site.service.settled(recording, site.record(recording))
    assert gone is not None and (gone.outcome, gone.code) == (Outcome.SKIPPED, "deleted")


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"", EmptyAudio), (b"<html>", UnsupportedMedia), (b"RIFF" + b"\1" * 100_000, UploadTooLarge)],
)
def test_what_is_no_recording_is_not_stored(site: Site, data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        site.service.store(site.file("a.wav", data))
    assert site.stored() == []


def test_a_file_that_goes_or_grows_meanwhile_is_not_stored(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = site.file()
    gone.path.unlink()
    with pytest.raises(FileUnusable) as caught:
        site.service.store(gone)
    assert caught.value.code == "unreadable"
    growing = site.file()
    write = LocalWriter.write

    def write_while_it_grows(self: LocalWriter, chunk: bytes) -> None:
        with growing.path.open("ab") as file:
            file.write(b"more")
        write(self, chunk)

    monkeypatch.setattr(LocalWriter, "write", write_while_it_grows)
    with pytest.raises(FileUnusable) as caught:
        site.service.store(growing)
    assert caught.value.code == "changed"
    assert site.stored() == []


def test_a_commit_that_fails_late_leaves_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = LocalWriter.commit

    def commit_and_fail(self: LocalWriter) -> StoredFile:
        commit(self)
        raise StorageUnavailable

    monkeypatch.setattr(LocalWriter, "commit", commit_and_fail)
    with pytest.raises(StorageUnavailable):
        site.service.store(site.file())
    assert site.stored() == []


@pytest.mark.parametrize("after", [False, True])
def test_a_database_that_goes_away_costs_neither_the_recording_nor_a_copy(site: Site, after: bool) -> None:
    recording = site.file()
    service = site.another(FlakyCalls(site.calls, after=after))
    new = service.store(recording)
    with pytest.raises(DatabaseUnavailable):
        service.take_in(new)
    assert service.take_in(new) is Intake.STARTED
    assert site.stored() == [new.audio_key]
    record = site.record(recording)
    assert record is not None and record.audio_key == new.audio_key


def test_a_call_that_was_kept_and_has_failed_before_anybody_knew_is_not_begun_again(site: Site) -> None:
    recording = site.file()
    service = site.another(FlakyCalls(site.calls, after=True))
    new = service.store(recording)
    with pytest.raises(DatabaseUnavailable):
        service.take_in(new)
    site.work.fail(site.take().claim, UndecodableAudio("noise"), "decode", drop_audio=True)
    assert service.take_in(new) is Intake.STARTED
    settled = service.settled(recording, site.record(recording))
    assert settled is not None and settled.code == "undecodable_audio"
    assert site.stored() == []


@pytest.mark.parametrize("kept", [False, True])
def test_a_run_that_ended_in_between_is_cleared_up_after(site: Site, kept: bool) -> None:
    recording = site.file()
    service = site.another(FlakyCalls(site.calls, after=kept))
    new = service.store(recording)
    with pytest.raises(DatabaseUnavailable):
        service.take_in(new)
    service.close()
    site.another().clear_up()
    assert site.stored() == ([new.audio_key] if kept else [])


def test_the_disk_is_never_filled_to_its_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.service.check_room()
    monkeypatch.setattr(catalogue_service, "LEAST_FREE_BYTES", 2**60)
    with pytest.raises(InsufficientStorage):
        site.service.check_room()
