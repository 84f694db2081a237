"""Row 94: a worker process that lives, and hears nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

from app.workers.supervisor import DEAF
from tests.faults.points import reached, set_points, with_points
from tests.faults.rounds import Rounds, spread, until
from tests.faults.rows import Conditions, Outcome, Row
from tests.process.brokers import address_of, broker_url, through
from tests.process.cluster import DEFAULTS, TENTH, Cluster, Workers, cluster
from tests.process.proxy import Proxy, proxied
from tests.process.service import ROOT, environment, write_script

SILENCE = "silence"
"""See ``tests.faults.points.sitecustomize``."""
MUTED, STOPPED_UP = "consumer stopped", "connection that carries nothing"
KINDS = (
    ("rabbitmq", MUTED),
    ("redis", STOPPED_UP),
    ("redis", MUTED),
    ("rabbitmq", STOPPED_UP),
)
UNREADY_WITHIN_S = 60.0
AT_ONCE = 2
SETTING_UP = threading.Lock()
"""Migrations of one process come one after the other."""


def deafen(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    kinds = [KINDS[number % len(KINDS)] for number in range(count)]

    def one(number: int) -> None:
        folder = conditions.folder / str(number)
        folder.mkdir()
        deafen_one(folder, *kinds[number], DEFAULTS if conditions.defaults else TENTH, rounds)

    # One after the other where the machine is to be quiet; at the default times it idles anyway.
    rounds.run(len(kinds) if conditions.defaults else AT_ONCE, one)
    return rounds.outcome(spread([f"{broker}: {kind}" for broker, kind in kinds]))


def deafen_one(folder: Path, broker: str, kind: str, times: dict[str, str], rounds: Rounds) -> None:
    write_script(folder)
    set_points(folder)
    url = broker_url(broker)
    with ExitStack() as stack:
        way = stack.enter_context(proxied(*address_of(url)))
        with SETTING_UP:
            found = stack.enter_context(cluster(folder, url, **times))
        via = through(url, way.port)
        workers = found.start_workers(queue_url=via, **with_points(folder))
        until(lambda: bool(workers.lines("broker.connected")), "the first connection")
        (deaf,) = workers.children()
        assert check_worker(found) == 0
        if kind == MUTED:
            stopped = reached(folder).count(SILENCE)
            set_points(folder, mute=True)
            # What still listens would hear of the call, and be right to take it.
            until(lambda: reached(folder).count(SILENCE) > stopped, "the consumer to stop")
        else:
            way.stop_up()
        found.submit("CALL-1")
        rounds.took("unready", until(lambda: bool(found.complaints()), "it to say so", UNREADY_WITHIN_S))
        set_points(folder)
        rounds.saw("check-worker met it", check_worker(found))
        is_replaced(found, workers, deaf, way, rounds)


def is_replaced(found: Cluster, workers: Workers, deaf: int, way: Proxy, rounds: Rounds) -> None:
    rounds.took("another ready", until(lambda: not found.complaints(), "another in its place"))
    assert workers.children() != [deaf]
    (ended,) = workers.lines("worker.process_ended")
    assert (ended["pid"], ended["exit_code"]) == (deaf, DEAF)
    (record,) = found.wait_for_end("CALL-1")
    assert (str(record.status), found.results("CALL-1")) == ("completed", (1, 1))
    way.let_flow()
    until(lambda: len(workers.lines("broker.connected")) == 2, "the next one to be connected")
    found.submit("CALL-2")
    (record,) = found.wait_for_end("CALL-2")
    assert str(record.status) == "completed"
    assert check_worker(found) == 0
    workers.stop()
    assert check_worker(found) == 1


def check_worker(found: Cluster) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "app", "check-worker"],
        env=environment(found.folder, **found.settings),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode


DEAF_WORKER = Row(
    94,
    "A worker process lives and hears nothing (RabbitMQ, Redis; consumer stopped, connection that carries "
    "nothing): unready within 60 s, replaced, no call lost",
    4,
    deafen,
    defaults_too=2,
)
