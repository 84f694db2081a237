"""Who works on which call: one claim at a time, and an older one changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from app.db.repositories.calls import CallRepository
from app.db.repositories.checkpoints import CheckpointRepository
from app.db.repositories.claims import ClaimRepository
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.analysis import CallStatus
from app.schemas.call import ALL_QUEUES, CallRecord, Claim, Failure, Queue
from tests.db.databases import postgres_database
from tests.db.values import FAILURE, OWNER, T0, analysis, at, completed, heard, new_call, stored, taken

OTHER = "host-2:99:b"


def _get(database: Database, call_id: str = "CALL-001") -> CallRecord:
    with database.snapshot() as session:
        record = CallRepository(session).get(call_id)
    assert record is not None
    return record


def _results(database: Database, call_id: str = "CALL-001") -> bool:
    with database.snapshot() as session:
        return ResultRepository(session).current(call_id) is not None


def _take(database: Database, *queues: Queue, owner: str = OWNER, seconds: float = 1) -> str | None:
    with database.session() as session:
        found = ClaimRepository(session).take(queues or ALL_QUEUES, owner, at(seconds))
    return found[0].call_id if found else None


def _do(database: Database, write: Callable[[ClaimRepository], bool]) -> bool:
    with database.session() as session:
        return write(ClaimRepository(session))


def test_the_way_to_a_result(database: Database) -> None:
    stored(database)
    claim = taken(database, "CALL-001", at(1))
    assert claim == Claim("CALL-001", OWNER, claim.token, 1)
    assert _get(database).status is CallStatus.PROCESSING
    assert _do(database, lambda claims: claims.enter_stage(claim, "stt", 12.5, at(2)))
    seen = _get(database)
    assert (seen.stage, seen.percent, seen.heartbeat_at, seen.owner) == ("stt", 12.5, at(2), OWNER)
    expected = analysis()
    assert _do(database, lambda claims: claims.complete(claim, expected, at(3), keep_heard=False))
    assert _get(database) == replace(
        _get(database),
        status=CallStatus.COMPLETED,
        duration_s=expected.duration_s,
        created_at=T0,
        updated_at=at(3),
        completed_at=at(3),
        stage=None,
        owner=None,
        queue=None,
        queued_at=None,
        heartbeat_at=None,
        failure=None,
        percent=100.0,
        attempts=1,
    )
    with database.snapshot() as session:
        assert ResultRepository(session).current("CALL-001") == expected


def test_a_claim_on_a_deleted_call_holds_nothing_of_a_later_one_of_its_name(database: Database) -> None:
    stored(database)
    zombie = taken(database, "CALL-001", at(1))
    with database.session() as session:
        assert CallRepository(session).delete("CALL-001")
    stored(database)
    claim = taken(database, "CALL-001", at(2))
    assert (zombie.owner, zombie.attempt) == (claim.owner, claim.attempt)
    assert not _do(database, lambda claims: claims.complete(zombie, analysis(), at(3), keep_heard=False))
    assert not _do(database, lambda claims: claims.beat(zombie, 50.0, at(3)))
    assert _do(database, lambda claims: claims.beat(claim, 1.0, at(3)))


def test_calls_are_taken_by_queue_then_priority_then_age(database: Database) -> None:
    stored(database, "old", 0, queue=Queue.BULK, priority=9)
    stored(database, "second", 2)
    stored(database, "first", 1)
    stored(database, "urgent", 5, priority=3)
    stored(database, "begun", 9, queue=Queue.ANALYZE)
    assert [_take(database) for _ in range(6)] == ["begun", "urgent", "first", "second", "old", None]


def test_a_worker_takes_from_its_queues_alone(database: Database) -> None:
    stored(database, "A")
    stored(database, "B", queue=Queue.BULK)
    assert _take(database, Queue.ANALYZE) is None
    assert _take(database, Queue.BULK) == "B"
    assert _take(database, Queue.TRANSCRIBE) == "A"


def test_of_many_that_take_at_once_each_gets_another_call(database: Database) -> None:
    for number in range(8):
        stored(database, f"C{number}", number)
    together = threading.Barrier(8)
    got = list[str | None]()

    def take(number: int) -> None:
        together.wait()
        got.append(_take(database, owner=f"owner-{number}"))

    _run([threading.Thread(target=take, args=(number,)) for number in range(8)])
    assert sorted(filter(None, got)) == sorted(set(filter(None, got)))
    while (rest := _take(database)) is not None:
        got.append(rest)
    assert sorted(filter(None, got)) == [f"C{number}" for number in range(8)]


def test_a_failed_stage_completes_with_warnings(database: Database) -> None:
    stored(database)
    claim = taken(database, "CALL-001")
    partial = analysis(failed_stages=("sentiment",))
    assert _do(database, lambda claims: claims.complete(claim, partial, at(3), keep_heard=True))
    assert _get(database).status is CallStatus.COMPLETED_WITH_WARNINGS


WRITES: dict[str, Callable[[ClaimRepository, Claim], bool]] = {
    "beat": lambda claims, claim: claims.beat(claim, 50.0, at(61)),
    "enter_stage": lambda claims, claim: claims.enter_stage(claim, "stt", 50.0, at(61)),
    "keep": lambda claims, claim: claims.keep(claim, heard(), at(61)),
    "hand_on": lambda claims, claim: claims.hand_on(claim, Queue.ANALYZE, at(61)),
    "hand_back": lambda claims, claim: claims.hand_back(claim, at(61), charged=True),
    "complete": lambda claims, claim: claims.complete(claim, analysis(), at(61), keep_heard=False),
    "fail": lambda claims, claim: claims.fail(claim, FAILURE, at(61), drop_audio=True),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize(
    "how", ["taken back", "taken by another", "by the same again", "cancelled", "deleted"]
)
def test_a_worker_that_lost_its_call_writes_nothing(
    database: Database, how: str, write: Callable[[ClaimRepository, Claim], bool]
) -> None:
    """It slept past its lease, and now it comes back."""
    stored(database)
    claim = taken(database, "CALL-001", at(1))
    with database.session() as session:
        claims = ClaimRepository(session)
        if how == "deleted":
            CallRepository(session).delete("CALL-001")
        elif how == "cancelled":
            assert claims.cancel("CALL-001", at(40))
        else:
            (lost,) = claims.expired(at(40), 30)
            assert claims.take_back(lost, at(40))
    if how in ("taken by another", "by the same again"):
        taken(database, "CALL-001", at(41), owner=OTHER if how == "taken by another" else OWNER)
    before = None if how == "deleted" else _get(database)
    assert not _do(database, lambda claims: write(claims, claim))
    if before is not None:
        assert _get(database) == before
    assert not _results(database)
    with database.snapshot() as session:
        assert CheckpointRepository(session).get("CALL-001") is None


def test_progress_never_falls(database: Database) -> None:
    stored(database)
    claim = taken(database, "CALL-001")
    seen = []
    for percent in (10.0, 40.0, 25.0, 39.9, 60.5):
        _do(database, lambda claims, percent=percent: claims.beat(claim, percent, at(2)))
        seen.append(_get(database).percent)
    assert seen == [10.0, 40.0, 40.0, 40.0, 60.5]


def test_what_was_heard_is_kept_for_the_next_attempt(database: Database) -> None:
    stored(database)
    claim = taken(database, "CALL-001")
    first = heard(turns=None)
    assert _do(database, lambda claims: claims.keep(claim, first, at(2)))
    assert _do(database, lambda claims: claims.keep(claim, heard(), at(3)))
    assert _do(database, lambda claims: claims.hand_back(claim, at(4), charged=True))
    with database.snapshot() as session:
        assert CheckpointRepository(session).get("CALL-001") == heard()
    again = taken(database, "CALL-001", at(5), owner=OTHER)
    assert (again.attempt, again.token > claim.token) == (2, True)


@pytest.mark.parametrize("keep", [False, True])
def test_what_was_heard_goes_with_the_result_unless_a_stage_is_to_be_done_again(
    database: Database, keep: bool
) -> None:
    stored(database)
    claim = taken(database, "CALL-001")
    _do(database, lambda claims: claims.keep(claim, heard(), at(2)))
    _do(database, lambda claims: claims.complete(claim, analysis(), at(3), keep_heard=keep))
    with database.snapshot() as session:
        assert (CheckpointRepository(session).get("CALL-001") is not None) == keep


def test_a_call_that_is_handed_on_is_still_the_same_attempt(database: Database) -> None:
    stored(database)
    claim = taken(database, "CALL-001")
    assert _do(database, lambda claims: claims.hand_on(claim, Queue.ANALYZE, at(7)))
    record = _get(database)
    assert (record.status, record.queue, record.owner) == (CallStatus.PROCESSING, Queue.ANALYZE, None)
    assert _take(database, Queue.TRANSCRIBE) is None
    assert taken(database, "CALL-001", at(8), owner=OTHER).attempt == 1


def test_an_attempt_that_is_handed_back_is_charged_only_when_it_was_a_failure(database: Database) -> None:
    stored(database)
    for charged, attempt in ((False, 1), (True, 1), (False, 2), (True, 2)):
        claim = taken(database, "CALL-001")
        assert claim.attempt == attempt
        assert _do(database, lambda claims: claims.hand_back(claim, at(2), charged=charged))  # noqa: B023
        assert _get(database).status is CallStatus.QUEUED


@pytest.mark.parametrize("drop_audio", [False, True])
def test_a_failure_is_kept_with_its_reason(database: Database, drop_audio: bool) -> None:
    stored(database)
    claim = taken(database, "CALL-001")
    failure = Failure("undecodable_audio", None, "nothing decodes", 422)
    assert _do(database, lambda claims: claims.fail(claim, failure, at(5), drop_audio=drop_audio))
    record = _get(database)
    assert (record.status, record.failure) == (CallStatus.FAILED, failure)
    assert (record.owner, record.heartbeat_at, record.stage, record.queue) == (None, None, None, None)
    assert record.audio_key == (None if drop_audio else new_call().audio_key)


def test_a_rerun_that_fails_leaves_the_call_as_its_result_made_it_and_says_why(database: Database) -> None:
    completed(database, "CALL-001", 0)
    with database.session() as session:
        CallRepository(session).rerun("CALL-001", Queue.TRANSCRIBE, at(10))
    claim = taken(database, "CALL-001", at(11))
    assert _do(database, lambda claims: claims.fail(claim, FAILURE, at(12)))
    record = _get(database)
    assert (record.status, record.failure, record.percent) == (CallStatus.COMPLETED, FAILURE, 100.0)
    assert _results(database)


def test_only_calls_past_their_lease_are_lost(database: Database) -> None:
    stored(database, "queued", 0)
    stored(database, "processing", 0)
    stored(database, "fresh", 0)
    completed(database, "done", 0)
    taken(database, "processing", at(1))
    taken(database, "fresh", at(50))
    with database.snapshot() as session:
        claims = ClaimRepository(session)
        assert [record.call_id for record in claims.expired(at(60), 30)] == ["processing"]
        assert claims.expired(at(30.5), 30) == ()


def test_a_call_that_gave_a_sign_of_life_is_not_taken_back(database: Database) -> None:
    stored(database)
    claim = taken(database, "CALL-001")
    with database.snapshot() as session:
        (lost,) = ClaimRepository(session).expired(at(60), 30)
    assert _do(database, lambda claims: claims.beat(claim, 1.0, at(60)))
    assert not _do(database, lambda claims: claims.take_back(lost, at(60)))
    assert not _do(database, lambda claims: claims.give_up(lost, FAILURE, at(60)))
    assert _get(database).status is CallStatus.PROCESSING


def test_a_lost_call_that_somebody_is_writing_to_is_left_alone() -> None:
    """Whoever froze in the middle of that holds up nobody who looks after other calls."""
    with postgres_database() as database:
        stored(database)
        taken(database, "CALL-001")
        with database.snapshot() as session:
            (lost,) = ClaimRepository(session).expired(at(60), 30)
        with database.session() as frozen:
            CallRepository(frozen).lock("CALL-001")
            assert not _do(database, lambda claims: claims.take_back(lost, at(60)))
            assert not _do(database, lambda claims: claims.give_up(lost, FAILURE, at(60)))
        assert _do(database, lambda claims: claims.take_back(lost, at(60)))


def test_a_lost_call_is_taken_back_once(database: Database) -> None:
    stored(database)
    taken(database, "CALL-001")
    together = threading.Barrier(4)
    won = list[bool]()

    def reap() -> None:
        with database.snapshot() as session:
            (lost,) = ClaimRepository(session).expired(at(60), 30)
        together.wait()
        won.append(_do(database, lambda claims: claims.take_back(lost, at(60))))

    _run([threading.Thread(target=reap) for _ in range(4)])
    assert sorted(won) == [False, False, False, True]


def test_a_call_is_cancelled_whoever_works_on_it_and_once(database: Database) -> None:
    stored(database, "waiting")
    stored(database, "begun")
    completed(database, "done", 0)
    taken(database, "begun")
    for call_id in ("waiting", "begun"):
        assert _do(database, lambda claims, call_id=call_id: claims.cancel(call_id, at(2)))
        assert _get(database, call_id).status is CallStatus.CANCELLED
        assert not _do(database, lambda claims, call_id=call_id: claims.cancel(call_id, at(2)))
    assert not _do(database, lambda claims: claims.cancel("done", at(2)))
    assert not _do(database, lambda claims: claims.cancel("nobody", at(2)))


def test_a_waiting_call_knows_its_place(database: Database) -> None:
    for call_id, seconds, priority in (("a", 1, 0), ("b", 2, 0), ("c", 2, 0), ("d", 3, 5)):
        stored(database, call_id, seconds, priority=priority)
    stored(database, "other", 0, queue=Queue.BULK)
    completed(database, "done", 0)

    def places() -> list[int | None]:
        with database.snapshot() as session:
            claims = ClaimRepository(session)
            return [claims.position(_get(database, name)) for name in ("a", "b", "c", "d", "other", "done")]

    assert places() == [2, 3, 4, 1, 1, None]
    taken(database, "d")
    assert places() == [1, 2, 3, None, 1, None]


def test_calls_that_nobody_was_told_of_are_told_apart(database: Database) -> None:
    for second, name in enumerate(("A", "B", "C", "begun")):
        stored(database, name, second)
    stored(database, "old", queue=Queue.BULK)
    taken(database, "begun")
    with database.session() as session:
        claims = ClaimRepository(session)
        assert claims.untold(Queue.TRANSCRIBE, at(1), 9) == ("A", "B")
        assert claims.last_rung(ALL_QUEUES) == {}
        claims.rung(["A", "begun", "old"], at(20))
        claims.rung(["B"], at(30))
        assert claims.untold(Queue.TRANSCRIBE, at(40), 9) == ("C",)
        assert claims.told(Queue.TRANSCRIBE, 9) == ("A", "B")
        assert claims.told(Queue.TRANSCRIBE, 1) == ("A",)
        assert claims.last_rung(ALL_QUEUES) == {Queue.TRANSCRIBE: at(30), Queue.BULK: at(20)}
        assert claims.last_rung((Queue.ANALYZE,)) == {}
    taken(database, "A")
    taken(database, "B")
    with database.snapshot() as session:
        assert ClaimRepository(session).last_rung((Queue.TRANSCRIBE,)) == {}


def test_unfinished_calls_are_counted(database: Database) -> None:
    stored(database, "A")
    stored(database, "B")
    stored(database, "old", queue=Queue.BULK)
    completed(database, "done", 0)
    taken(database, "A")
    with database.snapshot() as session:
        claims = ClaimRepository(session)
        assert claims.unfinished((Queue.TRANSCRIBE, Queue.ANALYZE), waiting_only=False) == 2
        assert claims.unfinished((Queue.TRANSCRIBE, Queue.ANALYZE), waiting_only=True) == 1


def test_a_result_that_cannot_be_stored_leaves_the_call_as_it_was(database: Database) -> None:
    stored(database)
    claim = taken(database, "CALL-001")
    twice = analysis()
    twice = replace(twice, segments=(twice.segments[0], twice.segments[0]))
    with pytest.raises(ValueError, match="increase"):
        _do(database, lambda claims: claims.complete(claim, twice, at(2), keep_heard=False))
    assert _get(database).status is CallStatus.PROCESSING
    assert not _results(database)


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
