"""Rows 3 and 4: a broker that tells of a call again while it is in work, and workers that wake too late."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections import Counter

from redis import Redis

from app.schemas.call import Queue
from app.workers.celery_app import TASK, broker_name, make_celery
from tests.faults.calls import (
    HOOK,
    LENGTH_S,
    engine_of,
    finished_once,
    pid_of,
    traces_of_writes,
    write_speech,
)
from tests.faults.points import STAGES
from tests.faults.rounds import Rounds, some_time, spread, until
from tests.faults.rows import Conditions, Outcome, Row
from tests.faults.workers import FIRST, finish_first, installation, linger_s
from tests.process.brokers import PrivateRedis, broker_url, private_redis
from tests.process.cluster import Cluster, Workers
from tests.process.service import tone

VISIBILITY_S = 1.5
SWEEP_S = 0.25
TRANSPORT = json.dumps(
    {
        "visibility_timeout": VISIBILITY_S,
        "unacked_restore_interval": SWEEP_S,
        "unacked_restore_throttle": 1,
    }
)
"""Redelivery after a moment, where the defaults are an hour and a look every 100 s."""
EXIT_WITHIN_S = 1.0


def redeliver(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    with private_redis(conditions.folder) as server, installation(conditions, server.url) as found:
        workers = found.start_workers("transcribe,analyze", processes=2, fault_transport=TRANSPORT)
        finish_first(found)
        write_speech(conditions.folder, [{"do": "sleep", "seconds": 3 * VISIBILITY_S}])

        def one(number: int) -> None:
            call_id = f"CALL-{number}"
            found.submit(call_id, audio=tone(LENGTH_S), webhook_url=HOOK)
            found.wait_for_stage(call_id, "transcribe")
            ring = UnacknowledgedRing(found, server, call_id)
            until(ring.is_redelivered, "the ring to be told of again")
            rounds.took(
                "the redelivered ring was done with",
                until(ring.is_done, "the ring to be gone", EXIT_WITHIN_S),
            )
            assert found.record(call_id).stage == "transcribe", (
                "the stage did not outlast the visibility timeout"
            )
            assert finished_once(found, call_id, like=FIRST) == 1
            done = stages_done(workers, call_id)
            assert done == Counter(STAGES), f"stages were done {done}"

        rounds.run(1, one)
    return rounds.outcome(f"visibility timeout {VISIBILITY_S} s, a stage of {3 * VISIBILITY_S} s")


class UnacknowledgedRing:
    """A ring as the broker holds it while somebody has heard it and not acknowledged it: when its visibility
    timeout is over, others are told."""

    def __init__(self, found: Cluster, server: PrivateRedis, call_id: str) -> None:
        settings = found.own_settings()
        self._redis = Redis(port=server.port)
        self._names = [f"{settings.queue_prefix}:{name}" for name in ("unacked", "unacked_index")]
        self._queue = f"{settings.queue_prefix}:{broker_name(settings, Queue.TRANSCRIBE)}"
        assert self.is_done(), "a ring was not acknowledged at once"
        app = make_celery(settings)
        with app.connection_for_write() as connection:
            channel = connection.default_channel
            channel.do_restore = False  # the connection's end is not to be what gives it back
            aside = broker_name(settings, Queue.BULK)  # here nobody takes it away
            app.send_task(TASK, args=[call_id], queue=aside, connection=connection)
            message = channel.basic_get(aside, no_ack=True)
            message.delivery_info["routing_key"] = broker_name(settings, Queue.TRANSCRIBE)
            channel.qos.append(message, message.delivery_tag)
            self._tag = message.delivery_tag
        self._heard_at = self._redis.zscore(self._names[1], self._tag)
        assert self._heard_at is not None

    def is_redelivered(self) -> bool:
        return self._redis.zscore(self._names[1], self._tag) != self._heard_at

    def is_done(self) -> bool:
        unacked, _ = self._names
        return not self._redis.hlen(unacked) and not self._redis.llen(self._queue)


def stages_done(workers: Workers, call_id: str) -> Counter[str]:
    lines = workers.lines("stage.ended")
    return Counter(line["stage"] for line in lines if line.get("call_id") == call_id)


FROZEN_AT_ONCE = 3
ZOMBIE_STAGES = (
    "persist",
    "transcribe",
    *(stage for stage in STAGES if stage not in ("persist", "transcribe")),
)


def freeze_past_lease(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    stages = [stage for stage, _ in zip(itertools.cycle(ZOMBIE_STAGES), range(count), strict=False)]
    with installation(conditions, broker_url("rabbitmq")) as found:
        workers = found.start_workers(processes=2 * min(count, FROZEN_AT_ONCE))
        finish_first(found)

        def one(number: int) -> None:
            call_id = f"CALL-{number}"
            found.submit(call_id, audio=tone(LENGTH_S), webhook_url=HOOK)
            found.wait_for_stage(call_id, stages[number])
            some_time(linger_s(conditions) / 2)
            zombie = pid_of(str(found.record(call_id).owner))
            frozen = [zombie, engine_of(zombie)] if number % 2 else [zombie]
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            began = time.monotonic()
            try:
                assert finished_once(found, call_id, like=FIRST) == 2
                rounds.took("finished by another", time.monotonic() - began)
                before = traces_of_writes(found, call_id)
            finally:
                for pid in frozen:
                    os.kill(pid, signal.SIGCONT)
            until(lambda: has_given_up(workers, call_id), "the zombie to see that the call is not its own")
            after = traces_of_writes(found, call_id)
            written = [table for table in before if before[table] != after[table]]
            assert not written, f"the zombie wrote into {written}"

        rounds.run(FROZEN_AT_ONCE, one)
    return rounds.outcome(f"frozen in {spread(stages)}")


def has_given_up(workers: Workers, call_id: str) -> bool:
    """Whether the work that was begun first has come to its end."""
    ends = {("call.gone", None), ("stage.ended", "persist")}
    return any(
        line.get("call_id") == call_id
        and line.get("attempt") == 1
        and (line["event"], line.get("stage") if line["event"] == "stage.ended" else None) in ends
        for line in workers.lines()
    )


REDELIVERED = Row(
    3,
    "a stage that takes three times the broker's visibility timeout, two workers: the redelivered message is "
    "done with in under 1 s, every stage is done once",
    5,
    redeliver,
)

FROZEN_WORKER = Row(
    4,
    "SIGSTOP a worker past its lease, let another finish, SIGCONT: the zombie writes 0 rows",
    10,
    freeze_past_lease,
    short=2,
)
