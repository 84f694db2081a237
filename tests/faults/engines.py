"""Rows 5, 6 and 18: recordings that kill or fill whoever works on them, and what many calls leave behind."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tests.faults.brokers import HOOKS
from tests.faults.calls import HOOK, LENGTH_S, engine_of, finished_once, pid_of, write_speech
from tests.faults.rounds import POLL_S, Rounds, until
from tests.faults.rows import Conditions, Outcome, Row
from tests.process.brokers import broker_url
from tests.process.cluster import Cluster, Workers, cluster
from tests.process.service import Service, tone
from tests.services.webhooks.receiver import receiving

CRASHING_S, SLOW_S, LARGE_S = 3 * LENGTH_S, 2 * LENGTH_S, 3 * LENGTH_S
"""Lengths of recordings that do harm; others are of ``LENGTH_S``."""
OTHERS = 10
MOST_STARTS = 3


def poison(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    faults = [
        {"do": "crash", "over_s": SLOW_S},
        {"do": "sleep", "seconds": 60, "over_s": LENGTH_S},
        {"do": "sleep", "seconds": 0.1},
    ]
    write_speech(conditions.folder, faults)
    with cluster(conditions.folder, broker_url("rabbitmq"), max_concurrent_calls="1") as found:
        workers = found.start_workers(processes=2)

        def one(number: int) -> None:
            call_id, others = f"POISON-{number}", [f"CALL-{number}-{each}" for each in range(OTHERS)]
            kills_worker = number % 2 == 1
            found.submit(call_id, audio=tone(SLOW_S if kills_worker else CRASHING_S), webhook_url=HOOK)
            for other in others:
                found.submit(other, audio=tone(LENGTH_S), webhook_url=HOOK)
            starts = (
                kill_whoever_takes(found, call_id) if kills_worker else engines_lost(found, workers, call_id)
            )
            assert failure_of(found, call_id) == "worker_lost"
            assert starts == found.record(call_id).attempts == MOST_STARTS, f"{starts} starts"
            for other in others:
                finished_once(found, other)
            rounds.saw(f"{starts} starts of a {'worker' if kills_worker else 'engine'} killer")

        rounds.run(1, one)
    return rounds.outcome(f"{rounds.held * OTHERS} other calls finished")


def kill_whoever_takes(found: Cluster, call_id: str) -> int:
    """As if the recording killed the worker process that takes it, each time; returns how often."""
    killed = 0
    while not found.record(call_id).status.is_final:
        owner = found.record(call_id).owner
        if owner is not None:
            os.kill(pid_of(owner), signal.SIGKILL)
            killed += 1
            until(lambda owner=owner: found.record(call_id).owner != owner, f"{call_id} to be taken back")  # type: ignore[misc]
        time.sleep(POLL_S)
    return killed


def engines_lost(found: Cluster, workers: Workers, call_id: str) -> int:
    failure_of(found, call_id)
    return len([line for line in workers.lines("call.engine_lost") if line["call_id"] == call_id])


def failure_of(found: Cluster, call_id: str) -> str | None:
    """The code with which the call fails, None when it does not."""
    until(lambda: found.record(call_id).status.is_final, f"{call_id} to end")
    failure = found.record(call_id).failure
    return failure.code if failure else None


LIMIT_MB, NEEDED_MB = 1500, 2000
SERVED_WITHIN_S = 30.0


def fill_memory(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    write_speech(conditions.folder, [{"do": "leak", "megabytes": NEEDED_MB, "over_s": 2 * LENGTH_S}])
    with cluster(
        conditions.folder, broker_url("rabbitmq"), max_concurrent_calls="1", engine_memory_mb=str(LIMIT_MB)
    ) as found:
        workers = found.start_workers()
        children = workers.children()

        def one(number: int) -> None:
            large, next_call = f"LARGE-{number}", f"CALL-{number}"
            found.submit(large, audio=tone(LARGE_S), webhook_url=HOOK)
            assert failure_of(found, large) == "resource_limit"
            record = found.record(large)
            assert record.failure is not None
            assert (record.failure.stage, record.attempts) == ("transcribe", 2), record
            rounds.saw(f"begun {record.attempts}x, then failed/resource_limit")
            began = time.monotonic()
            found.submit(next_call, audio=tone(LENGTH_S), webhook_url=HOOK)
            assert finished_once(found, next_call) == 1
            served = time.monotonic() - began
            rounds.took("the next call was finished", served)
            assert served <= SERVED_WITHIN_S

        rounds.run(1, one)
        assert workers.children() == children, "the worker process itself was lost"
    return rounds.outcome(f"limit {LIMIT_MB} MB, needed {NEEDED_MB} MB")


WARM = 50
GROWTH, MORE_FILES = 0.10, 3
"""Connections to the database are opened when many are needed at once, and stay: no more than a few."""
SOAK_AT_ONCE = 4


def soak(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    write_speech(conditions.folder)
    temp = conditions.folder / "tmp"
    temp.mkdir()
    warm = min(WARM, 3 * count // 4)
    with (
        receiving() as receiver,
        cluster(conditions.folder, broker_url("rabbitmq"), tmpdir=str(temp), **HOOKS) as found,
    ):
        service, workers = found.start_api(), found.start_workers()
        audio = tone(LENGTH_S)

        def one(number: int) -> None:
            call_id = f"CALL-{number}"
            answer = service.submit(audio, call_id=call_id, webhook_url=receiver.url())
            assert answer.status_code == 202, answer.text
            assert finished_once(found, call_id) == 1

        (worker,) = workers.children()
        processes = {"API": service.process.pid, "worker": worker, "engine": engine_of(worker)}
        rounds.run(SOAK_AT_ONCE, one, range(warm))
        before = {name: used(pid) for name, pid in processes.items()}
        rounds.run(SOAK_AT_ONCE, one, range(warm, count))
        after = {name: used(pid) for name, pid in processes.items()}
        rounds.fail_all(
            [
                *(
                    f"{name} grew: {before[name]} to {after[name]}"
                    for name in processes
                    if grew(before[name], after[name])
                ),
                *(f"left in temp: {path}" for path in leftovers(service, temp)),
            ]
        )
    return rounds.outcome(
        *(
            f"{name} {before[name][0]:.0f} to {after[name][0]:.0f} MB, "
            f"{before[name][1]} to {after[name][1]} open files"
            for name in processes
        )
    )


def used(pid: int) -> tuple[float, int]:
    """Memory in MB and open files of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def grew(before: tuple[float, int], after: tuple[float, int]) -> bool:
    return after[0] > before[0] * (1 + GROWTH) or after[1] > before[1] + MORE_FILES


def leftovers(service: Service, temp: Path) -> list[Path]:
    """Files that are neither a recording nor the mark of one."""
    ours = [path for path in service.stored_files() if path not in service.recordings()]
    return [*ours, *(path for path in temp.rglob("*") if path.is_file())]


POISON = Row(
    5,
    "a recording that kills its engine, or its worker, each time: at most 3 starts, then failed/worker_lost; "
    "10 calls queued behind it finish",
    6,
    poison,
    short=1,
)

MEMORY_LIMIT = Row(
    6,
    "memory limit hit in a stage: failed/resource_limit, and the worker serves the next call within 30 s",
    5,
    fill_memory,
    short=1,
)

SOAK = Row(
    18,
    "500 short calls: memory of no process grows by more than 10 % after the first 50, open files stay flat, "
    "nothing is left in temp",
    500,
    soak,
    short=24,
)
