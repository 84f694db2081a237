"""Rows 1, 2, 7 and 14: those who work are killed or told to stop, one by one, in groups, again and again."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.faults.calls import (
    HOOK,
    LENGTH_S,
    engine_of,
    finished_once,
    pid_of,
    rows,
    write_speech,
)
from tests.faults.points import STAGES, linger_everywhere, with_points
from tests.faults.rounds import RESUMED_WITHIN_S, Rounds, some_time, spread, until
from tests.faults.rows import Conditions, Outcome, Row
from tests.process.brokers import broker_url, private_redis
from tests.process.cluster import DEFAULTS, Cluster, Workers, cluster
from tests.process.service import tone

AT_ONCE = 5
ENGINE, WORKER = "engine process", "worker process"
PLACES = (
    ("transcribe", ENGINE),
    ("persist", WORKER),
    ("transcribe", WORKER),
    ("sentiment", ENGINE),
    ("diarization", WORKER),
    ("voice_activity", ENGINE),
    ("diarization", ENGINE),
    *((stage, WORKER) for stage in STAGES if stage not in ("transcribe", "persist", "diarization")),
)
"""Every stage, and each process that works in it; the first ones are what the short version does."""
FIRST = "UNDISTURBED"
MOST_MISSES = 5


def linger_s(conditions: Conditions) -> float:
    """How long each stage takes at least."""
    return 0.3 if conditions.short else 0.6


@contextmanager
def installation(conditions: Conditions, queue_url: str, **settings: str) -> Iterator[Cluster]:
    """Workers take one call at a time, and each stage takes long enough to be met in it."""
    write_speech(conditions.folder)
    linger_everywhere(conditions.folder, linger_s(conditions))
    times = DEFAULTS if conditions.defaults else {}
    with cluster(
        conditions.folder,
        queue_url,
        max_concurrent_calls="1",
        **with_points(conditions.folder),
        **times,
        **settings,
    ) as found:
        yield found


def finish_first(found: Cluster) -> None:
    """The call that all others must be like."""
    found.submit(FIRST, audio=tone(LENGTH_S), webhook_url=HOOK)
    finished_once(found, FIRST)


def kill_one_in_each_stage(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    places = [place for place, _ in zip(itertools.cycle(PLACES), range(count), strict=False)]
    hit: dict[str, str] = {}
    with installation(conditions, broker_url("rabbitmq")) as found:
        workers = found.start_workers(processes=min(count, AT_ONCE) + 1)
        finish_first(found)

        def one(number: int) -> None:
            stage, kind = places[number]

            def kill(call_id: str, owner: str) -> None:
                hit[call_id] = str(found.record(call_id).stage)
                worker = pid_of(owner)
                os.kill(worker if kind == WORKER else engine_of(worker), signal.SIGKILL)

            call_id = struck(found, f"CALL-{number}", stage, kill, rounds, linger_s(conditions))
            if STAGES.index(stage) > STAGES.index("transcribe"):
                assert times_heard(workers, call_id) == 1, f"{call_id} was heard again"

        rounds.run(AT_ONCE, one)
    return rounds.outcome(f"killed in {spread(list(hit.values()))}")


def struck(
    found: Cluster,
    name: str,
    stage: str,
    strike: Callable[[str, str], None],
    rounds: Rounds,
    within_s: float,
) -> str:
    """A call that was struck in the first moments of a stage, resumed in time and finished once; its id.

    ``strike`` is given the call and its owner. Some calls end in the moment before: others take their place.
    """
    for number in range(MOST_MISSES):
        call_id = f"{name}-{number}"
        found.submit(call_id, audio=tone(LENGTH_S), webhook_url=HOOK)
        found.wait_for_stage(call_id, stage)
        some_time(within_s)
        row = found.row(call_id)
        if row["owner"] is not None:
            strike(call_id, row["owner"])
            resumed(found, call_id, row["token"], rounds)
        begun = finished_once(found, call_id, like=FIRST)
        if begun > 1:
            rounds.saw(f"begun {begun}x")
            return call_id
        rounds.saw("struck too late, and another call instead")
    raise AssertionError(f"{name} was struck too late each time")


def resumed(found: Cluster, call_id: str, token: int, rounds: Rounds) -> None:
    """Wait until the call is in other hands than with this token, or finished."""

    def is_resumed() -> bool:
        row = found.row(call_id)
        return row["queue"] is None or (row["token"] > token and row["owner"] is not None)

    rounds.took("resumed", until(is_resumed, f"{call_id} to be resumed", RESUMED_WITHIN_S))


def times_heard(workers: Workers, call_id: str) -> int:
    ended = [(line["stage"], line["call_id"]) for line in workers.lines("stage.ended")]
    return ended.count(("transcribe", call_id))


class Groups:
    """Groups of one worker process, each on a machine of its own, so that a call's owner tells which."""

    def __init__(self, found: Cluster, count: int) -> None:
        self._found = found
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._groups: dict[str, Workers] = {}
        for _ in range(count):
            self.start()
        until(lambda: len(found.ready()) == count, f"{count} groups to be ready")

    def start(self, machine: str | None = None) -> None:
        """One more; on a new machine, or again on one that had a group."""
        with self._lock:
            name = machine or f"machine-{next(self._numbers)}"
            self._groups[name] = self._found.start_workers(wait_ready=False, fault_host=name)

    def of(self, owner: str) -> tuple[str, Workers]:
        machine = owner.partition("/")[0]
        return machine, self._groups[machine]


def kill_groups(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    with private_redis(conditions.folder) as server, installation(conditions, server.url) as found:
        groups = Groups(found, min(count, AT_ONCE))
        finish_first(found)

        def one(number: int) -> None:
            def kill(_call_id: str, owner: str) -> None:
                machine, workers = groups.of(owner)
                workers.kill_all()
                groups.start(machine if number % 2 else None)

            struck(found, f"CALL-{number}", random.choice(STAGES), kill, rounds, linger_s(conditions))

        rounds.run(AT_ONCE, one)
    return rounds.outcome("Redis, its visibility timeout left at 1 h")


LONG_S, LESS_LONG_S = 8.0, 4.0
"""Of work in a long recording's transcription: more than STOP_GRACE_S."""
EXIT_WITHIN_S = 30.0


def stop_groups(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    with private_redis(conditions.folder) as server, installation(conditions, server.url) as found:
        seconds = LESS_LONG_S if conditions.short else LONG_S
        write_speech(conditions.folder, [{"do": "sleep", "seconds": seconds, "over_s": 2 * LENGTH_S}])
        groups = Groups(found, min(count, AT_ONCE))
        finish_first(found)

        def one(number: int) -> None:
            call_id, long = f"CALL-{number}", number % 3 == 0
            found.submit(call_id, audio=tone(3 * LENGTH_S if long else LENGTH_S), webhook_url=HOOK)
            found.wait_for_stage(call_id, "transcribe" if long else random.choice(STAGES[:-1]))
            some_time(linger_s(conditions))
            owner = found.record(call_id).owner
            assert owner is not None, f"{call_id} was finished too soon"
            machine, workers = groups.of(owner)
            took_s = stop(workers, everyone=number % 2 == 1)
            assert took_s <= EXIT_WITHIN_S, f"it took {took_s:.1f} s to end"
            rounds.took("ended", took_s)
            left = found.record(call_id).status
            rounds.saw("completed before the end" if left.is_final else "handed back")
            groups.start(machine)
            begun = finished_once(found, call_id, like=None if long else FIRST)
            assert begun == 1, f"{call_id} was charged {begun} attempts"

        rounds.run(AT_ONCE, one)
    return rounds.outcome()


def stop(workers: Workers, *, everyone: bool) -> float:
    """SIGTERM to the process that watches, or to the whole group as some service managers do."""
    if not everyone:
        return workers.stop()
    began = time.monotonic()
    os.killpg(workers.process.pid, signal.SIGTERM)
    assert workers.process.wait(60) == 0
    return time.monotonic() - began


KILL_EVERY_S = 5.0
PACE_S = 0.6
LOOK_S = 0.5
WORK_S = 1.0


def kill_at_random(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    write_speech(conditions.folder, [{"do": "sleep", "seconds": WORK_S}])
    with cluster(conditions.folder, broker_url("rabbitmq"), max_concurrent_calls="1") as found:
        groups = [found.start_workers(processes=2), found.start_workers(processes=2)]
        ended = threading.Event()
        killer = threading.Thread(target=kill_until, args=(ended, found, groups, rounds))
        leases = Leases(found)
        watcher = threading.Thread(target=leases.watch, args=(ended,))
        killer.start()
        watcher.start()
        for number in range(count):
            found.submit(f"CALL-{number}", audio=tone(LENGTH_S), webhook_url=HOOK)
            time.sleep(PACE_S)

        def one(number: int) -> None:
            call_id = f"CALL-{number}"
            until(lambda: found.record(call_id).status.is_final, f"{call_id} to end")
            failure = found.record(call_id).failure
            if failure is None:
                rounds.saw(f"begun {finished_once(found, call_id)}x")
            else:
                assert (failure.code, found.record(call_id).attempts) == ("worker_lost", 3), failure
                rounds.saw("failed/worker_lost after 3 kills")

        rounds.run(4, one)
        ended.set()
        killer.join()
        watcher.join()
    rounds.took("in live hands again", leases.longest_gap_s)
    rounds.fail_all(
        [f"a call had no live lease for {leases.longest_gap_s:.0f} s"]
        * (leases.longest_gap_s > RESUMED_WITHIN_S)
    )
    return rounds.outcome()


def kill_until(ended: threading.Event, found: Cluster, groups: list[Workers], rounds: Rounds) -> None:
    """Every few seconds one process, or a whole group, which is then started again."""
    while not ended.wait(KILL_EVERY_S):
        which = random.randrange(len(groups))
        kind = random.choice((WORKER, ENGINE, "group"))
        pids = {WORKER: groups[which].children, ENGINE: groups[which].engines}
        if kind == "group":
            groups[which].kill_all()
            groups[which] = found.start_workers(processes=2, wait_ready=False)
        elif victims := pids[kind]():
            os.kill(random.choice(victims), signal.SIGKILL)
        rounds.saw(f"killed {kind}")


class Leases:
    """For how long at most a call was neither finished nor in hands that gave a sign of life."""

    def __init__(self, found: Cluster) -> None:
        self._found = found
        self._lease_s = float(found.settings["lease_s"])
        self._alive_at: dict[str, float] = {}
        self.longest_gap_s = 0.0

    def watch(self, ended: threading.Event) -> None:
        query = (
            "SELECT call_id, extract(epoch FROM created_at), extract(epoch FROM heartbeat_at), "
            "extract(epoch FROM now()) FROM calls WHERE queue IS NOT NULL"
        )
        while not ended.wait(LOOK_S):
            for call_id, created_at, heartbeat_at, now in rows(self._found, query):
                last = self._alive_at.setdefault(call_id, float(created_at))
                if heartbeat_at is not None and now - heartbeat_at <= self._lease_s:
                    last = self._alive_at[call_id] = float(now)
                self.longest_gap_s = max(self.longest_gap_s, float(now) - last)


KILLED_PROCESS = Row(
    1,
    "kill -9 the engine process or the worker process at a random moment in each stage: every call completes "
    "once, nothing doubled, resumed within 60 s",
    20,
    kill_one_in_each_stage,
    short=2,
    defaults_too=5,
)

KILLED_GROUP = Row(
    2,
    "kill -9 a whole group of workers and start it again, here or on another machine: as row 1",
    20,
    kill_groups,
    short=1,
    defaults_too=5,
)

STOPPED_GROUP = Row(
    7,
    "SIGTERM during work: ended within 30 s, every call completes, no attempt charged",
    20,
    stop_groups,
    short=2,
)

RANDOM_KILLS = Row(
    14,
    "100 calls with a random kill every 5 s: none is for 60 s without a live lease or a final state",
    100,
    kill_at_random,
    short=10,
)
