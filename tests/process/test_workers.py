"""Workers behind a real broker: whatever is killed, stopped or cut, an accepted call is finished once.

Times are a tenth of the defaults; see ``cluster``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.schemas.analysis import CallStatus
from app.schemas.call import Queue
from app.workers.supervisor import REPLACED
from tests.process.brokers import address_of, broker_url, private_redis, through
from tests.process.cluster import Cluster, children_of, cluster, is_running
from tests.process.proxy import Proxy, proxied
from tests.process.service import ROOT, environment, tone, wait_until, write_script

LONG = [{"do": "sleep", "seconds": 60}]


@pytest.fixture(params=["rabbitmq", "redis"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    write_script(tmp_path)
    with cluster(tmp_path, broker_url(request.param)) as found:
        yield found


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


def test_two_workers_share_the_calls_and_log_json_alone(installation: Cluster) -> None:
    workers = installation.start_workers(processes=2)
    calls = [f"CALL-{number}" for number in range(8)]
    write_script(installation.folder, faults=[{"do": "sleep", "seconds": 0.2}])
    for call_id in calls:
        installation.submit(call_id)
    for record in installation.wait_for_end(*calls):
        assert (record.status, record.attempts) == (CallStatus.COMPLETED, 1)
        assert installation.results(record.call_id) == (1, 1)
    wait_until(lambda: all(worker.claimed_at for worker in installation.workers()), "both to have worked")
    assert workers.stop() < 30
    assert installation.workers() == ()
    assert all(line.startswith("{") for line in workers.log.read_text().splitlines())


def test_a_killed_engine_process_costs_its_call_one_attempt(rabbit: Cluster) -> None:
    workers = rabbit.start_workers()
    begin_long_call(rabbit)
    (engine,) = workers.engines()
    os.kill(engine, signal.SIGKILL)
    finished_once(rabbit, "CALL-1", attempts=2)


def test_the_call_of_a_killed_process_is_done_by_another(rabbit: Cluster) -> None:
    workers = rabbit.start_workers()
    begin_long_call(rabbit)
    (child,) = workers.children()
    engines = workers.engines()
    os.kill(child, signal.SIGKILL)
    finished_once(rabbit, "CALL-1", attempts=2)
    assert workers.children() != [child]
    wait_until(lambda: not is_running(engines), "the engine process to end with its worker")


def test_a_killed_group_leaves_its_calls_to_the_next(redis: Cluster) -> None:
    workers = redis.start_workers(processes=2)
    begin_long_call(redis)
    redis.submit("CALL-2")
    left = [workers.process.pid, *workers.children(), *workers.engines()]
    workers.kill_all()
    wait_until(lambda: not is_running(left), "all to have ended")
    redis.start_workers()
    finished_once(redis, "CALL-1", attempts=2)
    finished_once(redis, "CALL-2", attempts=redis.record("CALL-2").attempts)


def test_a_process_that_was_stopped_past_its_lease_writes_nothing(rabbit: Cluster) -> None:
    first = rabbit.start_workers()
    write_script(rabbit.folder, faults=[{"do": "sleep", "seconds": 1}])
    rabbit.submit("CALL-1")
    rabbit.wait_for_stage("CALL-1", "transcribe")
    (zombie,) = first.children()
    os.kill(zombie, signal.SIGSTOP)
    write_script(rabbit.folder, text="what another heard")
    rabbit.start_workers()
    finished_once(rabbit, "CALL-1", attempts=2)
    before = rabbit.row("CALL-1")
    os.kill(zombie, signal.SIGCONT)
    wait_until(lambda: bool(first.lines("call.gone")), "it to see that the call is not its own")
    assert rabbit.row("CALL-1") == before
    assert rabbit.results("CALL-1") == (1, 1)


def test_a_ring_that_comes_again_begins_nothing(installation: Cluster) -> None:
    """As after a visibility timeout: the broker tells somebody else while the work goes on."""
    groups = [installation.start_workers(), installation.start_workers()]
    write_script(installation.folder, faults=[{"do": "sleep", "seconds": 4}])
    installation.submit("CALL-1")
    installation.wait_for_stage("CALL-1", "transcribe")
    for _ in range(5):
        installation.ring("CALL-1", Queue.TRANSCRIBE)
    wait_until(lambda: installation.rings_waiting() == 0, "the rings to be heard")
    assert installation.record("CALL-1").stage == "transcribe"
    finished_once(installation, "CALL-1", attempts=1)
    heard = [line for group in groups for line in group.lines("stt.windows_done")]
    assert len(heard) == 1


def test_words_are_judged_by_other_workers_than_those_that_hear(installation: Cluster) -> None:
    hears = installation.start_workers("transcribe")
    judges = installation.start_workers("analyze")
    installation.submit("CALL-1")
    finished_once(installation, "CALL-1", attempts=1)
    stages = {group: [line["stage"] for line in group.lines("stage.ended")] for group in (hears, judges)}
    assert stages[hears] == ["decode", "voice_activity", "transcribe", "diarization"]
    assert stages[judges] == ["roles", "sentiment", "metrics", "moments", "persist"]
    assert {line["stage"] for line in judges.lines("engine.loaded")} == {"sentiment"}


def test_old_recordings_have_workers_of_their_own(rabbit: Cluster) -> None:
    rabbit.start_workers("transcribe,analyze")
    rabbit.submit("OLD", queue=Queue.BULK)
    rabbit.submit("NEW")
    finished_once(rabbit, "NEW", attempts=1)
    assert rabbit.record("OLD").is_waiting
    rabbit.start_workers("bulk")
    finished_once(rabbit, "OLD", attempts=1)


def test_a_recording_that_always_kills_the_engine_is_given_up_and_harms_no_other(rabbit: Cluster) -> None:
    workers = rabbit.start_workers()
    write_script(rabbit.folder, faults=[{"do": "crash", "over_s": 3}])
    rabbit.submit("POISON", audio=tone(4))
    others = [f"CALL-{number}" for number in range(10)]
    for call_id in others:
        rabbit.submit(call_id)
    poison, *rest = rabbit.wait_for_end("POISON", *others)
    assert poison.failure is not None
    assert (poison.status, poison.failure.code, poison.attempts) == (CallStatus.FAILED, "worker_lost", 3)
    assert {record.status for record in rest} == {CallStatus.COMPLETED}
    assert len(workers.lines("call.engine_lost")) == 3


def test_a_recording_too_large_for_the_engines_fails_with_that_reason(rabbit: Cluster) -> None:
    workers = rabbit.start_workers(engine_memory_mb="1500")
    write_script(rabbit.folder, faults=[{"do": "leak", "megabytes": 2000, "over_s": 3}])
    rabbit.submit("LARGE", audio=tone(4))
    (large,) = rabbit.wait_for_end("LARGE")
    assert large.failure is not None
    assert (large.failure.code, large.failure.stage, large.attempts) == ("resource_limit", "transcribe", 2)
    rabbit.submit("CALL-1")
    finished_once(rabbit, "CALL-1", attempts=1)
    assert len(workers.lines("engine.out_of_memory")) == 2


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


def test_workers_end_with_the_process_that_watches_them(rabbit: Cluster) -> None:
    workers = rabbit.start_workers(processes=2)
    children = workers.children()
    workers.process.kill()
    workers.process.wait()
    wait_until(lambda: not is_running(children), "its processes to end")
    assert rabbit.workers() == ()


@pytest.mark.parametrize("broker", ["rabbitmq", "redis"])
def test_connections_are_made_again_and_calls_go_on_without_a_broker(broker: str, tmp_path: Path) -> None:
    write_script(tmp_path)
    url = broker_url(broker)
    proxy = Proxy(*address_of(url))
    try:
        with cluster(tmp_path, through(url, proxy.port)) as installation:
            workers = installation.start_workers()
            wait_until(lambda: bool(workers.lines("broker.connected")), "the first connection")
            for number in range(3):
                assert proxy.cut() > 0
                wait_until(
                    lambda number=number: len(workers.lines("broker.connected")) == number + 2,  # type: ignore[misc]
                    "the connection to be made again",
                )
                installation.submit(f"CUT-{number}")
                finished_once(installation, f"CUT-{number}", attempts=1)
            proxy.leave()
            installation.submit("AWAY")
            finished_once(installation, "AWAY", attempts=1)
            connections = len(workers.lines("broker.connected"))
            proxy.come_back()
            wait_until(lambda: len(workers.lines("broker.connected")) > connections, "the broker to be back")
            installation.submit("BACK")
            finished_once(installation, "BACK", attempts=1)
            assert not workers.lines("worker.process_ended")
    finally:
        proxy.close()


def test_rings_that_wait_when_the_connection_is_made_again_are_heard(tmp_path: Path) -> None:
    """RabbitMQ sends them at once, before the listener has been told what to do with them."""
    write_script(tmp_path)
    url = broker_url("rabbitmq")
    with proxied(*address_of(url)) as way, cluster(tmp_path, url) as installation:
        workers = installation.start_workers(queue_url=through(url, way.port))
        wait_until(lambda: bool(workers.lines("broker.connected")), "the first connection")
        way.leave()
        for number in range(5):
            installation.ring(f"CALL-{number}", Queue.TRANSCRIBE)
        wait_until(lambda: installation.rings_waiting() > 0, "the rings to lie at the broker")
        way.come_back()
        wait_until(lambda: len(workers.lines("broker.connected")) == 2, "the connection to be made again")
        wait_until(lambda: installation.rings_waiting() == 0, "the rings to be heard")
        assert not workers.lines("worker.process_ended")


def test_a_broker_that_comes_back_empty_loses_no_call(tmp_path: Path) -> None:
    write_script(tmp_path)
    with private_redis(tmp_path) as server, cluster(tmp_path, server.url) as installation:
        installation.start_workers()
        calls = [f"CALL-{number}" for number in range(15)]
        for call_id in calls[:5]:
            installation.submit(call_id)
        server.kill()
        for call_id in calls[5:10]:
            installation.submit(call_id)
        server.start()
        for call_id in calls[10:]:
            installation.submit(call_id)
        for call_id in calls:
            finished_once(installation, call_id, attempts=1)


def test_calls_whose_ring_was_lost_are_rung_for(installation: Cluster) -> None:
    """One was never rung for, as its API process had ended; of the other, the broker told nobody."""
    installation.start_workers()
    installation.submit("UNTOLD", ring=False)
    installation.submit("LOST", ring=False)
    installation.note_rung("LOST")
    finished_once(installation, "UNTOLD", attempts=1)
    finished_once(installation, "LOST", attempts=1)


def test_a_process_is_replaced_after_so_many_calls(rabbit: Cluster) -> None:
    workers = rabbit.start_workers(worker_max_calls="2", max_concurrent_calls="1")
    for number in range(5):
        rabbit.submit(f"CALL-{number}")
    for number in range(5):
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
