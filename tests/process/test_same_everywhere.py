"""The demo call through the embedded default and through a cluster that loses a worker: the same result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.process.brokers import broker_url
from tests.process.cluster import cluster
from tests.process.service import ROOT, Service, running
from tests.storage.s3_server import s3_server

DEMO = (ROOT / "samples" / "demo_call.mp3").read_bytes()
ENGINES = {"stt_provider": "pocketsphinx"}
OF_THIS_RUN = {"created_at", "completed_at", "attempts"}


def hand_in(service: Service) -> None:
    answer = service.post(
        "/calls",
        files={"audio": ("demo.mp3", DEMO)},
        data={"call_id": "CALL-001", "agent_id": "agent-7", "language": "en"},
    )
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == "/calls/CALL-001"


def result(service: Service) -> dict[str, Any]:
    """The finished call, without what differs from run to run by its nature."""
    events = service.get("/calls/CALL-001/events", timeout=600)  # it ends with the call
    assert events.status_code == 200
    return {
        name: value
        for name, value in service.get("/calls/CALL-001").json().items()
        if name not in OF_THIS_RUN
    }


def test_a_cluster_that_loses_a_worker_gives_the_result_of_the_embedded_default(tmp_path: Path) -> None:
    alone, many = tmp_path / "alone", tmp_path / "many"
    alone.mkdir()
    many.mkdir()
    with running(alone, **ENGINES) as service:
        hand_in(service)
        expected = result(service)
    assert expected["moments"]
    assert expected["status"] == "completed"
    with s3_server(tmp_path / "s3") as s3:
        settings = {**ENGINES, **s3.settings, "work_dir": str(many / "work")}
        with cluster(many, broker_url("rabbitmq"), **settings) as installation:
            service = installation.start_api()
            workers = [installation.start_workers(), installation.start_workers()]
            hand_in(service)
            installation.wait_for_stage("CALL-001", "transcribe")
            owner = installation.record("CALL-001").owner or ""
            (struck,) = [group for group in workers if any(f"/{pid}/" in owner for pid in group.children())]
            struck.kill_all()
            assert result(service) == expected
            record = installation.record("CALL-001")
            assert (record.attempts, installation.results("CALL-001")[0]) == (2, 1)
