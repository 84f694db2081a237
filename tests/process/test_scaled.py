"""The profile `scale` of docker-compose.yml without Docker: each part as a process, by the same files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.db.clusters import Server, primary, replica, server_folder
from tests.process.brokers import broker_url
from tests.process.cluster import Cluster, Workers, leave_nothing_behind
from tests.process.gateway import gateway
from tests.process.service import Service, tone, wait_until, write_script
from tests.process.test_events import check_progress, follow
from tests.storage.s3_server import S3Server, s3_server

LONG = [{"do": "sleep", "seconds": 60}]


@dataclass(frozen=True)
class Scaled:
    """``front`` is the gateway, before the two ``replicas`` of the API."""

    installation: Cluster
    front: Service
    replicas: tuple[Service, Service]
    workers: dict[str, Workers]
    read_database: Server
    bucket: S3Server

    def listed(self) -> set[str]:
        return {item["call_id"] for item in self.front.get("/calls").raise_for_status().json()["items"]}


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scaled]:
    folder = tmp_path_factory.mktemp("scaled")
    write_script(folder)
    with ExitStack() as stack:
        first = stack.enter_context(primary(stack.enter_context(server_folder())))
        second = stack.enter_context(replica(stack.enter_context(server_folder()), first))
        bucket = stack.enter_context(s3_server(folder / "s3"))
        installation = Cluster(
            folder,
            first.url,
            broker_url("rabbitmq"),
            database_read_url=second.url,
            work_dir=str(folder / "work"),
            **bucket.settings,
        )
        stack.callback(leave_nothing_behind, installation)
        stack.callback(installation.close)
        replicas = installation.start_api(), installation.start_api()
        workers = {queue: installation.start_workers(queue) for queue in ("transcribe", "analyze", "bulk")}
        url = stack.enter_context(gateway(*(service.port for service in replicas)))
        front = Service(folder, replicas[0].process, urlsplit(url).port or 0)
        yield Scaled(installation, front, replicas, workers, second, bucket)


def test_a_call_goes_through_all_of_it(scaled: Scaled) -> None:
    checks = scaled.front.get("/ready").json()["checks"]
    assert {checks[name] for name in ("database", "database_replica", "storage", "broker")} == {"ok"}
    assert {queue["state"] for queue in checks["queues"].values()} == {"served"}

    accepted = scaled.front.submit(tone(60), call_id="CALL-1")
    assert accepted.status_code == 202
    assert scaled.front.get(accepted.headers["location"]).status_code == 200  # whichever replica answers
    thread, events = follow(scaled.front, "CALL-1")
    thread.join(90)
    check_progress(events)

    wait_until(lambda: scaled.listed() == {"CALL-1"}, "the replica to list it")
    assert scaled.read_database.ask("SELECT status FROM calls") == "completed"
    assert len(scaled.bucket.objects()) == 1
    stages = {
        queue: {line["stage"] for line in scaled.workers[queue].lines("stage.ended")}
        for queue in scaled.workers
    }
    assert "transcribe" in stages["transcribe"]
    assert "sentiment" in stages["analyze"]
    assert not stages["bulk"]


def test_calls_end_though_a_part_of_each_kind_is_lost(scaled: Scaled) -> None:
    write_script(scaled.installation.folder, faults=LONG)
    scaled.front.submit(tone(pitch=300), call_id="LONG")
    scaled.installation.wait_for_stage("LONG", "transcribe")
    write_script(scaled.installation.folder)

    scaled.read_database.stop()
    scaled.replicas[1].kill()
    scaled.workers["transcribe"].kill_all()
    names = {f"CALL-{number}" for number in range(2, 6)}
    for number, name in enumerate(sorted(names)):
        assert scaled.front.submit(tone(pitch=400 + 20 * number), call_id=name).status_code == 202
    scaled.installation.start_workers("transcribe")

    for record in scaled.installation.wait_for_end("LONG", *names):
        assert record.status == "completed"
        assert scaled.installation.results(record.call_id)[0] == 1
    assert scaled.listed() == {"CALL-1", "LONG", *names}
    assert scaled.front.get("/ready").json()["checks"]["database_replica"] != "ok"
