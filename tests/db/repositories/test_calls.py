"""Calls through their life: only their owner moves them on, and nothing is ever half written."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from app.db.models import Base
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.analysis import CallStatus
from app.schemas.call import CallOptions, CallRecord, Failure
from tests.db.values import FAILURE, OWNER, T0, analysis, at, completed, new_call, stored

OTHER = "host-2:99:b"


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


def _running(database: Database, call_id: str = "CALL-001", owner: str = OWNER, **changes: str) -> None:
    with database.session() as session:
        repository = CallRepository(session)
        assert repository.insert(new_call(call_id, **changes), owner, T0)
        assert repository.start(call_id, owner, at(1))


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
        customer_id=new.customer_id,
        options=new.options,
        started_at=new.started_at,
        direction=new.direction,
        metadata=new.metadata,
        created_at=T0,
        updated_at=T0,
        owner=OWNER,
        heartbeat_at=T0,
    )
    assert isinstance(record.status, CallStatus)
    assert _get(database) == record


def test_optional_fields_stay_empty(database: Database) -> None:
    record = stored(
        database,
        agent_id=None,
        customer_id=None,
        options=CallOptions(),
        started_at=None,
        direction=None,
        metadata={},
    )
    assert (record.agent_id, record.customer_id, record.options) == (None, None, CallOptions())
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
        assert not repository.insert(new_call(fingerprint="other"), OTHER, at(1))
        assert repository.insert(new_call("CALL-002"), OTHER, at(1))
    assert _get(database).fingerprint == new_call().fingerprint
    assert _get(database, "CALL-002").owner == OTHER


def test_of_many_that_insert_one_id_at_once_one_wins(database: Database) -> None:
    together = threading.Barrier(8)
    won = list[int]()

    def insert(number: int) -> None:
        together.wait()
        with database.session() as session:
            if CallRepository(session).insert(new_call(fingerprint=str(number)), f"owner-{number}", T0):
                won.append(number)

    _run([threading.Thread(target=insert, args=(number,)) for number in range(8)])
    assert len(won) == 1
    assert _get(database).owner == f"owner-{won[0]}"


def test_the_way_to_a_result(database: Database) -> None:
    stored(database)
    expected = analysis()
    with database.session() as session:
        assert CallRepository(session).start("CALL-001", OWNER, at(1))
    assert _get(database).status is CallStatus.PROCESSING
    with database.session() as session:
        assert CallRepository(session).set_stage("CALL-001", OWNER, "stt", at(2))
    assert (_get(database).stage, _get(database).heartbeat_at) == ("stt", at(2))
    with database.session() as session:
        assert CallRepository(session).complete("CALL-001", OWNER, expected, at(3))
    assert _get(database) == replace(
        _get(database),
        status=CallStatus.COMPLETED,
        duration_s=expected.duration_s,
        created_at=T0,
        updated_at=at(3),
        completed_at=at(3),
        stage=None,
        owner=None,
        heartbeat_at=None,
        failure=None,
    )
    with database.snapshot() as session:
        assert ResultRepository(session).current("CALL-001") == expected


def test_a_failed_stage_completes_with_warnings(database: Database) -> None:
    _running(database)
    with database.session() as session:
        assert CallRepository(session).complete(
            "CALL-001", OWNER, analysis(failed_stages=("sentiment",)), at(3)
        )
    assert _get(database).status is CallStatus.COMPLETED_WITH_WARNINGS


def test_a_call_starts_once(database: Database) -> None:
    _running(database)
    with database.session() as session:
        assert not CallRepository(session).start("CALL-001", OWNER, at(2))


@pytest.mark.parametrize("step", ["start", "set_stage", "complete", "fail"])
def test_nobody_but_the_owner_moves_a_call(database: Database, step: str) -> None:
    if step == "start":
        stored(database)
    else:
        _running(database)
    before = _get(database)
    with database.session() as session:
        repository = CallRepository(session)
        moved = {
            "start": lambda: repository.start("CALL-001", OTHER, at(9)),
            "set_stage": lambda: repository.set_stage("CALL-001", OTHER, "stt", at(9)),
            "complete": lambda: repository.complete("CALL-001", OTHER, analysis(), at(9)),
            "fail": lambda: repository.fail("CALL-001", OTHER, FAILURE, at(9), drop_audio=True),
        }[step]()
    assert not moved
    assert _get(database) == before
    assert _rows(database)["results"] == 0


def test_a_worker_that_lost_its_call_writes_nothing(database: Database) -> None:
    """It slept past its lease, the call was given up, and now it comes back with a result."""
    _running(database)
    with database.session() as session:
        assert CallRepository(session).give_up("CALL-001", OWNER, FAILURE, at(60))
    before = _get(database)
    with database.session() as session:
        repository = CallRepository(session)
        assert not repository.complete("CALL-001", OWNER, analysis(), at(61))
        assert not repository.set_stage("CALL-001", OWNER, "stt", at(61))
        assert not repository.fail("CALL-001", OWNER, FAILURE, at(61))
        assert repository.beat(OWNER, at(61)) == 0
    assert _get(database) == before
    assert _rows(database)["results"] == 0


def test_a_deleted_call_cannot_be_completed(database: Database) -> None:
    _running(database)
    with database.session() as session:
        assert CallRepository(session).delete("CALL-001") is not None
    with database.session() as session:
        assert not CallRepository(session).complete("CALL-001", OWNER, analysis(), at(2))
    assert set(_rows(database).values()) == {0}


def test_a_result_that_cannot_be_stored_leaves_the_call_as_it_was(database: Database) -> None:
    _running(database)
    twice = analysis()
    twice = replace(twice, segments=(twice.segments[0], twice.segments[0]))
    with pytest.raises(ValueError, match="increase"), database.session() as session:
        CallRepository(session).complete("CALL-001", OWNER, twice, at(2))
    assert _get(database).status is CallStatus.PROCESSING
    assert _rows(database)["results"] == 0


@pytest.mark.parametrize("running", [False, True], ids=["queued", "processing"])
@pytest.mark.parametrize("drop_audio", [False, True])
def test_a_failure_is_kept_with_its_reason(database: Database, running: bool, drop_audio: bool) -> None:
    if running:
        _running(database)
    else:
        stored(database)
    failure = Failure("undecodable_audio", None, "nothing decodes", 422)
    with database.session() as session:
        assert CallRepository(session).fail("CALL-001", OWNER, failure, at(5), drop_audio=drop_audio)
    record = _get(database)
    assert (record.status, record.failure) == (CallStatus.FAILED, failure)
    assert (record.owner, record.heartbeat_at, record.stage) == (None, None, None)
    assert record.audio_key == (None if drop_audio else new_call().audio_key)


def test_a_finished_call_does_not_fail(database: Database) -> None:
    completed(database, "CALL-001", 0)
    with database.session() as session:
        assert not CallRepository(session).fail("CALL-001", OWNER, FAILURE, at(9))


def test_a_failed_call_starts_over_with_nothing_of_its_past(database: Database) -> None:
    _running(database)
    with database.session() as session:
        CallRepository(session).fail("CALL-001", OWNER, FAILURE, at(2))
        ResultRepository(session).add("CALL-001", analysis(), at(2))
    again = new_call(fingerprint="new", audio_key="audio/new", agent_id=None, metadata={"a": "b"})
    with database.session() as session:
        assert CallRepository(session).restart(again, OTHER, at(100))
    record = _get(database)
    assert (record.status, record.failure, record.owner) == (CallStatus.QUEUED, None, OTHER)
    assert (record.fingerprint, record.audio_key, record.agent_id) == ("new", "audio/new", None)
    assert (record.created_at, record.heartbeat_at) == (at(100), at(100))
    assert {name: count for name, count in _rows(database).items() if count} == {"calls": 1}


def test_only_a_failed_or_cancelled_call_starts_over(database: Database) -> None:
    _running(database)
    with database.session() as session:
        assert not CallRepository(session).restart(new_call(), OTHER, at(9))
    assert _get(database).owner == OWNER
    completed(database, "CALL-002", 0)
    with database.session() as session:
        assert not CallRepository(session).restart(new_call("CALL-002"), OTHER, at(9))
        assert not CallRepository(session).restart(new_call("nobody"), OTHER, at(9))
    assert _rows(database)["results"] == 1


def test_a_sign_of_life_reaches_all_unfinished_calls_of_an_owner(database: Database) -> None:
    _running(database, "A")
    stored(database, "B")
    _running(database, "C", owner=OTHER)
    completed(database, "D", 0)
    with database.session() as session:
        assert CallRepository(session).beat(OWNER, at(10)) == 2
    assert {name: _get(database, name).heartbeat_at for name in "ABCD"} == {
        "A": at(10),
        "B": at(10),
        "C": at(1),
        "D": None,
    }


def test_only_calls_past_their_lease_are_lost(database: Database) -> None:
    stored(database, "queued", 0)
    _running(database, "processing")
    stored(database, "fresh", 50)
    completed(database, "done", 0)
    with database.snapshot() as session:
        repository = CallRepository(session)
        assert [record.call_id for record in repository.unfinished(at(60), 30)] == ["processing", "queued"]
        assert [record.call_id for record in repository.unfinished(at(30.5), 30)] == ["queued"]
        assert repository.unfinished(at(30), 30) == ()
        assert repository.unfinished_owners() == {OWNER}


def test_nobody_owns_finished_calls(database: Database) -> None:
    completed(database, "A", 0)
    _running(database, "B", owner=OTHER)
    with database.snapshot() as session:
        assert CallRepository(session).unfinished_owners() == {OTHER}


def test_a_call_that_gave_a_sign_of_life_is_not_given_up(database: Database) -> None:
    _running(database)
    with database.snapshot() as session:
        (lost,) = CallRepository(session).unfinished(at(60), 30)
    with database.session() as session:
        CallRepository(session).beat(OWNER, at(60))
    with database.session() as session:
        repository = CallRepository(session)
        assert not repository.give_up(
            lost.call_id, lost.owner, FAILURE, at(60), heartbeat_at=lost.heartbeat_at
        )
        assert not repository.give_up(lost.call_id, OTHER, FAILURE, at(60))
        assert not repository.give_up(lost.call_id, None, FAILURE, at(60))
    assert _get(database).status is CallStatus.PROCESSING
    with database.session() as session:
        assert CallRepository(session).give_up(lost.call_id, lost.owner, FAILURE, at(61), heartbeat_at=at(60))
    assert (_get(database).status, _get(database).failure) == (CallStatus.FAILED, FAILURE)


def test_a_lost_call_is_given_up_once(database: Database) -> None:
    _running(database)
    together = threading.Barrier(4)
    won = list[bool]()

    def sweep() -> None:
        with database.snapshot() as session:
            (lost,) = CallRepository(session).unfinished(at(60), 30)
        together.wait()
        with database.session() as session:
            won.append(
                CallRepository(session).give_up(
                    lost.call_id, lost.owner, FAILURE, at(60), heartbeat_at=lost.heartbeat_at
                )
            )

    _run([threading.Thread(target=sweep) for _ in range(4)])
    assert sorted(won) == [False, False, False, True]


def test_delete_leaves_no_row_in_any_table(database: Database) -> None:
    completed(database, "keep", 0, ("objection", "hesitation"), webhook_url="https://crm.example.com/")
    kept = {name: count for name, count in _rows(database).items() if name != "webhook_endpoints"}
    _running(database, webhook_url="https://crm.example.com/")
    with database.session() as session:
        CallRepository(session).complete("CALL-001", OWNER, analysis(), at(2))
        ResultRepository(session).add("CALL-001", analysis(), at(3))
    assert all(_rows(database)[name] > count for name, count in kept.items())
    before = _get(database)
    with database.session() as session:
        assert CallRepository(session).delete("CALL-001") == before
    assert _rows(database) == {**kept, "webhook_endpoints": 0}
    with database.session() as session:
        assert CallRepository(session).delete("CALL-001") is None


def test_a_locked_call_waits_for_nobody_else_and_nobody_else_changes_it(database: Database) -> None:
    stored(database)
    changed = threading.Event()

    def start() -> None:
        with database.session() as session:
            assert CallRepository(session).start("CALL-001", OWNER, at(1))
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


def test_the_keys_of_all_recordings(database: Database) -> None:
    stored(database, "A")
    completed(database, "B", 0)
    stored(database, "C")
    with database.session() as session:
        CallRepository(session).fail("C", OWNER, FAILURE, at(1), drop_audio=True)
        assert CallRepository(session).audio_keys() == {"audio/A", "audio/B"}


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
