"""A call that is deleted while it is in work, in every stage: it ends there, and nothing of it comes back."""

from __future__ import annotations

import json
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.core.config import Settings
from app.core.logging import JsonFormatter
from app.db.models import Base
from app.main import create_app
from app.services.bootstrap import Services
from tests.db.databases import postgres_database, sqlite_url, url_of
from tests.process.service import tone, wait_until
from tests.settings import make_settings
from tests.storage.s3_server import s3_server

STAGES = ("decode", "voice_activity", "transcribe", "diarization", "roles", "sentiment", "metrics", "moments")
ROUNDS = int(os.environ.get("DELETIONS_PER_STAGE", "2"))
PLACES = ("sqlite-file", "postgresql-s3")


class Saboteur(logging.Handler):
    """Does something in the thread that works on a call, at the moment at which a stage of it has ended."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._formatter = JsonFormatter()
        self.stage = ""
        self.strike: Callable[[str], None] = lambda _: None
        self.struck = 0

    def emit(self, record: logging.LogRecord) -> None:
        fields = json.loads(self._formatter.format(record))
        if record.getMessage() == "stage.ended" and fields.get("stage") == self.stage:
            self.stage = ""
            self.strike(str(fields["call_id"]))
            self.struck += 1


@pytest.fixture(scope="module", params=PLACES)
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A database and a storage of each kind."""
    folder = tmp_path_factory.mktemp("service")
    sidecar = folder / "transcript.json"
    sidecar.write_text(json.dumps({"language": "en", "text": "that is too expensive for us"}))
    with ExitStack() as stack:
        if request.param == "sqlite-file":
            places = {"database_url": sqlite_url(folder)}
        else:
            server = stack.enter_context(s3_server(folder / "s3"))
            database = stack.enter_context(postgres_database())
            places = {"database_url": url_of(database), "work_dir": str(folder / "work"), **server.settings}
        allowed = ("127.0.0.1",)
        yield make_settings(folder, scripted_transcript=sidecar, webhook_allowed_hosts=allowed, **places)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        wait_until(lambda: client.get("/ready").status_code == 200, "the service to be ready")
        client.post("/webhooks", json={"url": "http://127.0.0.1:9/"})
        yield client


@pytest.fixture
def saboteur() -> Iterator[Saboteur]:
    handler, logger = Saboteur(), logging.getLogger("app.workers.progress")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


def services_of(client: TestClient) -> Services:
    services: Services = client.app.state.runtime.services  # type: ignore[attr-defined]
    return services


def assert_nothing_is_left(client: TestClient) -> None:
    services = services_of(client)
    with services.database.snapshot() as session:
        left = {
            name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in Base.metadata.tables
            if name not in ("webhook_endpoints", "webhook_deliveries", "workers")
        }
        told = session.execute(text("SELECT count(*) FROM webhook_deliveries WHERE call_id IS NOT NULL"))
        assert told.scalar_one() == 0
    assert not any(left.values()), left
    assert list(services.storage.listed()) == []
    assert [path for path in services.scratch.root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_call_that_is_deleted_between_two_stages_ends_there(
    client: TestClient, saboteur: Saboteur, stage: str
) -> None:
    saboteur.strike = services_of(client).calls.delete
    for number in range(ROUNDS):
        saboteur.stage = stage
        answer = client.post("/transcribe", files={"audio": ("a.wav", tone(1, 400 + number))})
        assert (answer.status_code, answer.json()["code"]) == (404, "call_not_found"), answer.text
        wait_until(lambda: not list(services_of(client).scratch.root.glob("*")), "the working copies to go")
        assert_nothing_is_left(client)
    assert saboteur.struck == ROUNDS


def test_a_call_that_is_deleted_while_its_result_is_written_is_gone(
    client: TestClient, saboteur: Saboteur
) -> None:
    services = services_of(client)
    deleted: list[threading.Thread] = []

    def delete_soon(call_id: str) -> None:
        def delete() -> None:
            time.sleep(random.uniform(0, 0.02))
            services.calls.delete(call_id)

        deleted.append(threading.Thread(target=delete))
        deleted[-1].start()

    saboteur.strike = delete_soon
    for number in range(10 * ROUNDS):
        saboteur.stage = "moments"
        answer = client.post("/transcribe", files={"audio": ("a.wav", tone(1, 400 + number))})
        assert answer.status_code in (200, 404), answer.text
        deleted[-1].join()
        wait_until(lambda: not list(services.scratch.root.glob("*")), "the working copies to go")
        assert_nothing_is_left(client)
    assert saboteur.struck == 10 * ROUNDS


def test_a_recording_that_cannot_be_used_stays_where_its_call_is_held(
    client: TestClient, saboteur: Saboteur
) -> None:
    services = services_of(client)
    saboteur.strike = lambda call_id: services.retention.hold(call_id, held=True)
    saboteur.stage = "decode"
    broken = tone(1)[:20] + bytes(2000)
    answer = client.post("/transcribe", files={"audio": ("a.wav", broken)}, data={"call_id": "HELD"})
    assert (answer.status_code, answer.json()["code"]) == (422, "undecodable_audio"), answer.text
    assert saboteur.struck == 1
    (left,) = services.storage.listed()
    assert services.calls.record("HELD").audio_key == left.key
    assert client.delete("/calls/HELD").status_code == 409
    services.retention.hold("HELD", held=False)
    assert client.delete("/calls/HELD").status_code == 204
    assert_nothing_is_left(client)
