"""Calls queued to be judged again: which, by what, and that their result stays meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.core.exceptions import (
    AppError,
    Busy,
    CallNotFound,
    CallNotReady,
    CallUnfinished,
    TextDeleted,
    UnknownPlaybook,
)
from app.db.repositories.checkpoints import CheckpointRepository
from app.db.repositories.claims import ClaimRepository
from app.db.repositories.results import ResultRepository
from app.db.repositories.retention import RetentionRepository
from app.db.session import Database
from app.schemas.analysis import CallStatus
from app.schemas.call import Queue
from app.schemas.speaker import NameSpeaker
from app.services.coachable_service import CoachableService
from app.services.playbook_library import PlaybookLibrary
from app.services.reanalysis_service import ReanalysisService
from app.services.room import Room
from app.services.speaker_edits import apply_edits
from app.services.told_again import heard_again
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.databases import settings_for
from tests.db.values import FAILURE, OWNER, T0, analysis, at, completed, plain_analysis, stored, taken
from tests.playbooks import write_playbooks
from tests.services.webhooks.calls import fail

__all__ = ["database", "quick_folder", "shared_database"]


@pytest.fixture(scope="module")
def coachable() -> CoachableService:
    return CoachableService(settings_for("sqlite://"))


@pytest.fixture
def service(database: Database, coachable: CoachableService, tmp_path: Path) -> ReanalysisService:
    settings = settings_for("sqlite://", playbook_dir=write_playbooks(tmp_path / "playbooks"))
    return ReanalysisService(database, PlaybookLibrary(database, coachable, settings), Room(2, 0))


def test_the_result_is_there_until_there_is_a_new_one(database: Database, service: ReanalysisService) -> None:
    completed(database, "A", 0, ("objection",), audio_key=None)
    record = service.queue("A", "strict")
    assert (record.status, record.queue, record.percent) == (CallStatus.QUEUED, Queue.ANALYZE, 0)
    old = plain_analysis("A", ("objection",))
    with database.session() as session:
        claims = ClaimRepository(session)
        claimed = claims.take((Queue.ANALYZE,), OWNER, at(20))
        assert claimed is not None
        claim = claimed[0]
        heard = CheckpointRepository(session).get("A")
        assert ResultRepository(session).current("A") == old
        assert heard == heard_again(old, "strict")
    new = plain_analysis("A", ("confusion",))
    with database.session() as session:
        assert ClaimRepository(session).complete(claim, new, at(30), keep_heard=False)
        assert ResultRepository(session).current("A") == new
        assert [version.version for version in ResultRepository(session).versions("A")] == [1, 2]
        assert CheckpointRepository(session).get("A") is None


def test_a_reanalysis_that_fails_or_is_cancelled_leaves_the_call_as_it_was(
    database: Database, service: ReanalysisService
) -> None:
    completed(database, "A", 0, ("objection",))
    service.queue("A")
    claim = taken(database, "A", at(20))
    with database.session() as session:
        assert ClaimRepository(session).fail(claim, FAILURE, at(21))
    assert service.records(["A"])["A"].status is CallStatus.COMPLETED
    service.queue("A")
    with database.session() as session:
        assert ClaimRepository(session).cancel("A", at(22))
        assert ResultRepository(session).current("A") == plain_analysis("A", ("objection",))
    assert service.records(["A"])["A"].status is CallStatus.COMPLETED


@pytest.mark.parametrize(
    ("call_id", "error"),
    [
        ("NOBODY", CallNotFound),
        ("QUEUED", CallUnfinished),
        ("FAILED", CallNotReady),
        ("WORDLESS", TextDeleted),
    ],
)
def test_what_cannot_be_judged_again_is_refused(
    database: Database, service: ReanalysisService, call_id: str, error: type[AppError]
) -> None:
    completed(database, "WORDLESS", 0)
    with database.session() as session:
        RetentionRepository(session).delete_texts(at(1), at(2), 9)
    stored(database, "QUEUED", 3)
    fail(database, "FAILED", T0)
    with pytest.raises(error):
        service.queue(call_id)


def test_a_playbook_that_there_is_not_is_refused_before_anything_is_queued(
    database: Database, service: ReanalysisService
) -> None:
    completed(database, "A", 0)
    with pytest.raises(UnknownPlaybook):
        service.queue("A", "nowhere")
    with pytest.raises(UnknownPlaybook):
        service.queue("A", "strict", "r0")
    with pytest.raises(UnknownPlaybook):
        service.queue("A", None, "r0")
    assert service.records(["A"])["A"].queue is None


def test_a_revision_without_a_name_is_one_of_the_default_playbook(
    database: Database, service: ReanalysisService, coachable: CoachableService
) -> None:
    completed(database, "A", 0)
    service.queue("A", None, coachable.default.revision)
    with database.snapshot() as session:
        heard = CheckpointRepository(session).get("A")
    assert heard is not None and heard.told is not None
    assert (heard.told.playbook, heard.told.revision) == ("default", coachable.default.revision)


def test_no_more_wait_than_there_is_room_for(database: Database, service: ReanalysisService) -> None:
    for number in range(4):
        completed(database, f"C{number}", number)
    service.queue("C0")
    service.queue("C1")
    with pytest.raises(Busy):
        service.queue("C2")
    service.queue("C3", queue=Queue.BULK)
    assert service.waiting() == 1


def test_calls_that_can_be_judged_again_are_found_oldest_first(
    database: Database, service: ReanalysisService
) -> None:
    for number in range(5):
        completed(database, f"C{number}", number)
    stored(database, "QUEUED", 2.5)
    fail(database, "FAILED", at(2.6))
    with database.session() as session:
        RetentionRepository(session).delete_texts(at(0.5), at(9), 9)
    first = service.due(T0, at(4), None, 2)
    assert first == ((at(1), "C1"), (at(2), "C2"))
    assert service.due(T0, at(4), first[-1], 2) == ((at(3), "C3"),)
    assert service.due(at(3), at(99), None, 9) == ((at(3), "C3"), (at(4), "C4"))


def test_what_is_told_is_what_was_before_corrections(database: Database, service: ReanalysisService) -> None:
    completed(database, "A", 0)
    whole = analysis("A")
    edits = (NameSpeaker("speaker_0", "Ada"),)
    _, speakers = apply_edits((), whole.speakers, edits)
    with database.session() as session:
        results = ResultRepository(session)
        results.add("A", whole, at(1))
        editable = results.editable("A")
        assert editable is not None
        results.replace_edited("A", editable.id, edits, replace(whole, speakers=speakers), at(2))
    service.queue("A")
    with database.snapshot() as session:
        heard = CheckpointRepository(session).get("A")
    assert heard is not None and heard.told is not None
    assert (heard.told.speakers, heard.told.is_original) == (whole.speakers, True)
    with database.snapshot() as session:
        assert ResultRepository(session).edits("A") == edits
