"""Workers behind a real broker: whatever is killed, stopped or cut, an accepted call is finished once.

Times are a tenth of the defaults; see ``cluster``. What else may happen to workers is in ``tests/faults``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.schemas.analysis import CallStatus
from app.schemas.call import Queue
from app.workers.supervisor import REPLACED
from tests.faults.calls import pid_of
from tests.process.brokers import address_of, broker_url, through
from tests.process.cluster import Cluster, Workers, children_of, cluster, is_running
from tests.process.proxy import proxied
from tests.process.service import ROOT, environment, tone, wait_until, write_script

LONG = [{"do": "sleep", "seconds": 60}]


@pytest.fixture(params=["rabbitmq", "redis"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    write_script(tmp_path)
    with cluster(tmp_path, broker_url(request.param)) as found:
        yield found


@dataclass(frozen=True)
class Pair:
    """Two workers at one broker."""

    installation: Cluster
    workers: Workers


@pytest.fixture(params=["rabbitmq", "redis"], scope="module")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """For tests that harm nobody. At the end both sign out, and have logged JSON alone."""
    folder = tmp_path_factory.mktemp(f"pair-{request.param}")
    write_script(folder)
    with cluster(folder, broker_url(request.param)) as found:
        workers = found.start_workers(processes=2)
        yield Pair(found, workers)
        assert workers.stop() < 30
        assert found.workers() == ()
        assert all(line.startswith("{") for line in workers.log.read_text().splitlines())


@pytest.fixture
def rabbit(tmp_path: Path) -> Iterator[Cluster]:
    write_script(tmp_path)
    with cluster(tmp_path, broker_url("rabbitmq")) as found:
        yield found


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Cluster]:
    write_script(tmp_path)
    with cluster(tmp_path, broker_url("redis")) as found:
        yield found


def begin_long_call(installation: Cluster, call_id: str = "CALL-1") -> None:
    """A call that hangs in its recognition; whoever begins it after this is quick."""
    write_script(installation.folder, faults=LONG)
    installation.submit(call_id)
    installation.wait_for_stage(call_id, "transcribe")
    write_script(installation.folder)


def finished_once(installation: Cluster, call_id: str, attempts: int) -> None:
    (record,) = installation.wait_for_end(call_id)
    assert (record.status, record.attempts) == (CallStatus.COMPLETED, attempts)
    assert installation.results(call_id) == (1, 1)


def test_two_workers_share_the_calls(pair: Pair) -> None:
    calls = [f"CALL-{number}" for number in range(8)]
    write_script(pair.installation.folder, faults=[{"do": "sleep", "seconds": 0.2}])
    for call_id in calls:
        pair.installation.submit(call_id)
    for record in pair.installation.wait_for_end(*calls):
        assert (record.status, record.attempts) == (CallStatus.COMPLETED, 1)
        assert pair.installation.results(record.call_id) == (1, 1)
    wait_until(
        lambda: all(worker.claimed_at for worker in pair.installation.workers()), "both to have worked"
    )


def test_a_ring_that_comes_again_begins_nothing(pair: Pair) -> None:
    """As after a visibility timeout: the broker tells somebody else while the work goes on."""
    installation, heard = pair.installation, len(pair.workers.lines("stt.windows_done"))
    write_script(installation.folder, faults=[{"do": "sleep", "seconds": 5}])
    installation.submit("AGAIN")
    installation.wait_for_stage("AGAIN", "transcribe")
    for _ in range(5):
        installation.ring("AGAIN", Queue.TRANSCRIBE)
    wait_until(lambda: installation.rings_waiting() == 0, "the rings to be heard")
    assert installation.record("AGAIN").stage == "transcribe"
    finished_once(installation, "AGAIN", attempts=1)
    assert len(pair.workers.lines("stt.windows_done")) == heard + 1


def test_calls_whose_ring_was_lost_are_rung_for(pair: Pair) -> None:
    """One was never rung for, as its API process had ended; of the other, the broker told nobody."""
    write_script(pair.installation.folder)
    pair.installation.submit("UNTOLD", ring=False)
    pair.installation.submit("LOST", ring=False)
    pair.installation.note_rung("LOST")
    finished_once(pair.installation, "UNTOLD", attempts=1)
    finished_once(pair.installation, "LOST", attempts=1)


def test_whichever_process_is_killed_costs_its_call_one_attempt_and_leaves_no_other(rabbit: Cluster) -> None:
    workers = rabbit.start_workers()
    begin_long_call(rabbit, "ENGINE-LOST")
    (engine,) = workers.engines()
    os.kill(engine, signal.SIGKILL)
    finished_once(rabbit, "ENGINE-LOST", attempts=2)
    begin_long_call(rabbit, "WORKER-LOST")
    (child,), engines = workers.children(), workers.engines()
    os.kill(child, signal.SIGKILL)
    finished_once(rabbit, "WORKER-LOST", attempts=2)
    assert workers.children() != [child]
    wait_until(lambda: not is_running(engines), "the engine process to end with its worker")
    children = workers.children()
    workers.process.kill()
    workers.process.wait()
    wait_until(lambda: not is_running(children), "workers to end with the process that watches them")
    assert not [worker for worker in rabbit.workers() if pid_of(worker.owner) in children]


def test_each_kind_of_work_may_have_workers_of_its_own(installation: Cluster) -> None:
    hears = installation.start_workers("transcribe")
    judges = installation.start_workers("analyze")
    installation.submit("OLD", queue=Queue.BULK)
    installation.submit("CALL-1")
    finished_once(installation, "CALL-1", attempts=1)
    stages = {group: [line["stage"] for line in group.lines("stage.ended")] for group in (hears, judges)}
    assert stages[hears] == ["decode", "voice_activity", "transcribe", "diarization"]
    assert stages[judges] == ["roles", "sentiment", "metrics", "moments", "persist"]
    assert {line["stage"] for line in judges.lines("engine.loaded")} == {"sentiment"}
    assert installation.record("OLD").is_waiting
    installation.start_workers("bulk")
    finished_once(installation, "OLD", attempts=1)


def test_sigterm_lets_calls_end_and_hands_back_what_takes_longer(rabbit: Cluster) -> None:
    workers = rabbit.start_workers(processes=2, max_concurrent_calls="1")
    write_script(
        rabbit.folder, faults=[{"do": "sleep", "seconds": 1}, {"do": "sleep", "seconds": 60, "over_s": 3}]
    )
    rabbit.submit("SHORT")
    rabbit.wait_for_stage("SHORT", "transcribe")
    rabbit.submit("LONG", audio=tone(4))
    rabbit.wait_for_stage("LONG", "transcribe")
    assert workers.stop() < 30
    assert rabbit.record("SHORT").status is CallStatus.COMPLETED
    handed_back = rabbit.record("LONG")
    assert (handed_back.is_waiting, handed_back.attempts) == (True, 0)
    write_script(rabbit.folder)
    rabbit.start_workers()
    finished_once(rabbit, "LONG", attempts=1)


@pytest.mark.parametrize("broker", ["rabbitmq", "redis"])
def test_connections_are_made_again_and_calls_go_on_without_a_broker(broker: str, tmp_path: Path) -> None:
    """Rings that came meanwhile are heard too. RabbitMQ sends them at once, before the listener has been
    told what to do with them."""
    write_script(tmp_path)
    url = broker_url(broker)
    with proxied(*address_of(url)) as way, cluster(tmp_path, url) as installation:
        workers = installation.start_workers(queue_url=through(url, way.port))
        wait_until(lambda: bool(workers.lines("broker.connected")), "the first connection")
        installation.submit("FIRST")
        finished_once(installation, "FIRST", attempts=1)
        wait_until(lambda: installation.rings_waiting() == 0, "its ring to be heard")
        for number in range(2):
            assert way.cut() > 0
            wait_until(
                lambda number=number: len(workers.lines("broker.connected")) == number + 2,  # type: ignore[misc]
                "the connection to be made again",
            )
            installation.submit(f"CUT-{number}")
            finished_once(installation, f"CUT-{number}", attempts=1)
        way.leave()
        for number in range(5):
            installation.ring(f"CALL-{number}", Queue.TRANSCRIBE)
        wait_until(lambda: installation.rings_waiting() > 0, "the rings to lie at the broker")
        installation.submit("AWAY")
        finished_once(installation, "AWAY", attempts=1)
        way.come_back()
        wait_until(lambda: len(workers.lines("broker.connected")) > 3, "the broker to be back")
        wait_until(lambda: installation.rings_waiting() == 0, "the rings to be heard")
        installation.submit("BACK")
        finished_once(installation, "BACK", attempts=1)
        assert not workers.lines("worker.process_ended")


def test_a_process_is_replaced_after_so_many_calls(rabbit: Cluster) -> None:
    """One call after the other: with several waiting, a process takes some before it looks at its count."""
    workers = rabbit.start_workers(worker_max_calls="2", max_concurrent_calls="1")
    for number in range(9):
        rabbit.submit(f"CALL-{number}")
        finished_once(rabbit, f"CALL-{number}", attempts=1)
    wait_until(lambda: len(workers.lines("worker.process_ended")) >= 2, "two to have been replaced")
    assert {line["exit_code"] for line in workers.lines("worker.process_ended")} == {REPLACED}


def test_the_api_does_no_work_itself_and_tells_who_does(redis: Cluster) -> None:
    service = redis.start_api()
    ready = service.get("/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["checks"]["queues"]["transcribe"] == {"state": "unserved", "workers": 0}
    redis.start_workers("transcribe,analyze")
    ready = service.get("/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    checks = ready.json()["checks"]
    assert checks["broker"] == "ok"
    assert set(checks["engines"]) == {"tts"}
    assert {name: check["workers"] for name, check in checks["queues"].items()} == {
        "transcribe": 1,
        "analyze": 1,
        "bulk": 0,
    }
    answer = service.transcribe(tone(), call_id="CALL-1")
    assert answer.status_code == 200, answer.text
    assert answer.json()["transcript"] == "that is too expensive for us"
    assert children_of(service.process.pid) == []


def test_a_worker_without_a_broker_or_with_an_unknown_queue_does_not_start(tmp_path: Path) -> None:
    for options, message in (
        ({}, "QUEUE_URL is not set"),
        ({"queue_url": "redis://127.0.0.1:1"}, "there is no queue transcibe"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "app", "worker", *(["--queues", "transcibe"] if options else [])],
            env=environment(tmp_path, **options),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, message in done.stderr) == (2, True)
