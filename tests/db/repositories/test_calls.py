"""Calls as they are taken in, started over, read and deleted; nothing is ever half written."""

from __future__ import annotations

import threading

from sqlalchemy import text

from app.db.models import Base
from app.db.repositories.calls import CallRepository
from app.db.repositories.checkpoints import CheckpointRepository
from app.db.repositories.claims import ClaimRepository
from app.db.repositories.clips import ClipRepository
from app.db.repositories.comments import CommentRepository
from app.db.repositories.idempotency_keys import IdempotencyKeyRepository, KnownRequest
from app.db.repositories.reels import ReelRepository
from app.db.repositories.results import ResultRepository
from app.db.repositories.reviews import ReviewRepository
from app.db.repositories.waveforms import WaveformRepository
from app.db.session import Database
from app.schemas.analysis import CallStatus
from app.schemas.call import CallOptions, CallRecord, Queue
from app.schemas.comment import Comment
from app.schemas.reel import Reel, ReelSource
from app.schemas.retention import RemovedCall
from app.schemas.waveform import Peaks
from tests.db.clip_values import clip
from tests.db.review_values import review
from tests.db.values import (
    FAILURE,
    OWNER,
    T0,
    analysis,
    at,
    completed,
    heard,
    new_call,
    plain_analysis,
    stored,
    taken,
)

NOT_OF_CALLS = ("webhook_endpoints", "workers", "playbooks", "playbook_revisions")
REEL = Reel("f" * 32, "0" * 32, 100, 1.0, ReelSource.ORIGINAL, "", (), at(4))


def _get(database: Database, call_id: str = "CALL-001") -> CallRecord:
    with database.snapshot() as session:
        record = CallRepository(session).get(call_id)
    assert record is not None
    return record


def _rows(database: Database) -> dict[str, int]:
    with database.snapshot() as session:
        return {
            name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in Base.metadata.tables
        }


def _failed(database: Database, call_id: str = "CALL-001", **changes: str) -> None:
    stored(database, call_id, **changes)
    claim = taken(database, call_id)
    with database.session() as session:
        assert ClaimRepository(session).fail(claim, FAILURE, at(2))


def test_a_new_call_is_queued_and_keeps_all_that_is_known_of_it(database: Database) -> None:
    record = stored(database)
    new = new_call()
    assert record == CallRecord(
        call_id=new.call_id,
        status=CallStatus.QUEUED,
        fingerprint=new.fingerprint,
        audio_key=new.audio_key,
        audio_sha256=new.audio_sha256,
        audio_bytes=new.audio_bytes,
        agent_id=new.agent_id,
        team_id=new.team_id,
        customer_id=new.customer_id,
        options=new.options,
        started_at=new.started_at,
        direction=new.direction,
        metadata=new.metadata,
        created_at=T0,
        updated_at=T0,
        queue=Queue.TRANSCRIBE,
        queued_at=T0,
    )
    assert isinstance(record.status, CallStatus)
    assert _get(database) == record


def test_optional_fields_stay_empty(database: Database) -> None:
    record = stored(
        database,
        agent_id=None,
        team_id=None,
        customer_id=None,
        options=CallOptions(),
        started_at=None,
        direction=None,
        metadata={},
    )
    assert (record.agent_id, record.team_id, record.customer_id) == (None, None, None)
    assert record.options == CallOptions()
    assert (record.started_at, record.direction, record.metadata) == (None, None, {})


def test_an_unknown_call_is_none(database: Database) -> None:
    with database.session() as session:
        repository = CallRepository(session)
        assert repository.get("nobody") is None
        assert repository.lock("nobody") is None
        assert repository.delete("nobody") is None


def test_a_taken_id_is_refused_and_the_transaction_goes_on(database: Database) -> None:
    stored(database)
    with database.session() as session:
        repository = CallRepository(session)
        assert not repository.insert(new_call(fingerprint="other"), at(1))
        assert repository.insert(new_call("CALL-002"), at(1))
    assert _get(database).fingerprint == new_call().fingerprint
    assert _get(database, "CALL-002").created_at == at(1)


def test_of_many_that_insert_one_id_at_once_one_wins(database: Database) -> None:
    together = threading.Barrier(8)
    won = list[int]()

    def insert(number: int) -> None:
        together.wait()
        with database.session() as session:
            if CallRepository(session).insert(new_call(fingerprint=str(number)), T0):
                won.append(number)

    _run([threading.Thread(target=insert, args=(number,)) for number in range(8)])
    assert len(won) == 1
    assert _get(database).fingerprint == str(won[0])


def test_a_failed_call_starts_over_with_nothing_of_its_past(database: Database) -> None:
    _failed(database)
    with database.session() as session:
        ResultRepository(session).add("CALL-001", analysis(), at(2))
        CheckpointRepository(session).put("CALL-001", heard(), at(2))
    again = new_call(fingerprint="new", audio_key="audio/new", agent_id=None, metadata={"a": "b"})
    with database.session() as session:
        assert CallRepository(session).restart(again, at(100))
    record = _get(database)
    assert (record.status, record.failure, record.attempts) == (CallStatus.QUEUED, None, 0)
    assert (record.fingerprint, record.audio_key, record.agent_id) == ("new", "audio/new", None)
    assert (record.created_at, record.queued_at) == (at(100), at(100))
    assert {name: count for name, count in _rows(database).items() if count} == {"calls": 1}


def test_the_same_recording_again_goes_on_from_what_was_heard(database: Database) -> None:
    _failed(database)
    with database.session() as session:
        CheckpointRepository(session).put("CALL-001", heard(), at(2))
    with database.session() as session:
        assert CallRepository(session).restart(new_call(audio_key="audio/again"), at(100))
    with database.snapshot() as session:
        assert CheckpointRepository(session).get("CALL-001") == heard()


def test_an_older_claim_has_no_hold_on_a_call_that_starts_over(database: Database) -> None:
    stored(database)
    claim = taken(database, "CALL-001")
    with database.session() as session:
        assert ClaimRepository(session).fail(claim, FAILURE, at(2))
        assert CallRepository(session).restart(new_call(), at(3))
    newer = taken(database, "CALL-001", at(4))
    assert newer.token > claim.token
    with database.session() as session:
        assert not ClaimRepository(session).complete(claim, analysis(), at(5), keep_heard=False)


def test_only_a_failed_or_cancelled_call_starts_over(database: Database) -> None:
    stored(database)
    taken(database, "CALL-001")
    with database.session() as session:
        assert not CallRepository(session).restart(new_call(), at(9))
    assert _get(database).owner == OWNER
    completed(database, "CALL-002", 0)
    with database.session() as session:
        assert not CallRepository(session).restart(new_call("CALL-002"), at(9))
        assert not CallRepository(session).restart(new_call("nobody"), at(9))
    assert _rows(database)["results"] == 1


def test_a_rerun_keeps_the_result_until_there_is_a_new_one(database: Database) -> None:
    completed(database, "CALL-001", 0, ("objection",))
    with database.session() as session:
        assert CallRepository(session).rerun("CALL-001", Queue.ANALYZE, at(10))
        assert not CallRepository(session).rerun("CALL-001", Queue.ANALYZE, at(10))
    record = _get(database)
    assert (record.status, record.queue, record.percent) == (CallStatus.QUEUED, Queue.ANALYZE, 0.0)
    with database.snapshot() as session:
        assert ResultRepository(session).current("CALL-001") == plain_analysis("CALL-001", ("objection",))
    claim = taken(database, "CALL-001", at(11))
    with database.session() as session:
        assert ClaimRepository(session).complete(claim, analysis(), at(12), keep_heard=False)
    with database.snapshot() as session:
        assert ResultRepository(session).current("CALL-001") == analysis()


def test_the_first_call_with_a_recording_is_named_until_it_is_deleted(database: Database) -> None:
    stored(database, "A", 0)
    stored(database, "B", 1, audio_sha256="b" * 64)
    assert stored(database, "C", 2).duplicate_of == "A"
    assert [_get(database, name).duplicate_of for name in "AB"] == [None, None]
    with database.session() as session:
        CallRepository(session).delete("A")
    assert _get(database, "C").duplicate_of is None


def test_delete_leaves_no_row_in_any_table(database: Database) -> None:
    completed(database, "keep", 0, ("objection", "hesitation"), webhook_url="https://crm.example.com/")
    kept = {name: count for name, count in _rows(database).items() if name != "webhook_endpoints"}
    stored(database, webhook_url="https://crm.example.com/", audio_sha256="c" * 64)
    claim = taken(database, "CALL-001")
    with database.session() as session:
        assert ClaimRepository(session).keep(claim, heard(), at(1))
        assert ClaimRepository(session).complete(claim, analysis(), at(2), keep_heard=True)
        ResultRepository(session).add("CALL-001", analysis(), at(3))
        ReviewRepository(session).put(review("CALL-001"))
        ClipRepository(session).add(clip("CALL-001"))
        CommentRepository(session).add(Comment("c_1", "CALL-001", 1.0, "ask first", None, at(3), at(3)))
        ReelRepository(session).put(REEL, ["CALL-001"])
        WaveformRepository(session).put("CALL-001", Peaks(0.1, (b"\x10",)))
        IdempotencyKeyRepository(session).add("k", KnownRequest("f", "CALL-001"), at(3))
    of_calls = {name: count for name, count in kept.items() if name not in NOT_OF_CALLS}
    assert all(_rows(database)[name] > count for name, count in of_calls.items())
    before = _get(database)
    with database.session() as session:
        removed = CallRepository(session).delete("CALL-001")
    assert removed == RemovedCall(before, ("audio/CALL-001", "clip/CALL-001"))
    # Of a reel the name of its file is left, until that is removed (test_reels.py).
    assert _rows(database) == {**kept, "webhook_endpoints": 0, "reels": 1}
    with database.session() as session:
        assert CallRepository(session).delete("CALL-001") is None


def test_a_locked_call_waits_for_nobody_else_and_nobody_else_changes_it(database: Database) -> None:
    stored(database)
    changed = threading.Event()

    def start() -> None:
        taken(database, "CALL-001", at(1))
        changed.set()

    thread = threading.Thread(target=start)
    with database.session() as session:
        record = CallRepository(session).lock("CALL-001")
        assert record is not None
        thread.start()
        assert not changed.wait(0.3)
        assert CallRepository(session).get("CALL-001") == record
    thread.join()
    assert _get(database).status is CallStatus.PROCESSING


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_the_playbook_that_a_call_asks_for_stays_with_it(database: Database) -> None:
    assert stored(database, "A", options=CallOptions(playbook="acme")).options == CallOptions(playbook="acme")
    completed(database, "B", 1, options=CallOptions("en", playbook="acme"))
    with database.session() as session:
        assert CallRepository(session).rerun("B", Queue.ANALYZE, at(9))
    claim = taken(database, "B", at(10))
    assert _get(database, claim.call_id).options.playbook == "acme"
