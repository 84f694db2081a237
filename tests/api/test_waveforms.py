"""`GET /calls/{call_id}/waveform`: from the analysis on, made up for where it is missing, or refused."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.db.repositories.waveforms import WaveformRepository
from app.services.bootstrap import Services
from tests.api.clients import services_of, started
from tests.db.values import completed, stored
from tests.process.service import wav

SECONDS = 3


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    samples = [
        (10_000 if at // 4000 % 2 else 100) * (1 if at % 20 < 10 else -1) for at in range(16_000 * SECONDS)
    ]
    recording = wav(struct.pack(f"<{len(samples)}h", *samples))
    with started(tmp_path_factory.mktemp("waveforms")) as client:
        files = {"audio": ("call.wav", recording, "audio/wav")}
        answer = client.post("/transcribe", files=files, data={"call_id": "CALL-1"})
        assert answer.status_code == 200, answer.text
        yield client


@pytest.fixture
def services(client: TestClient) -> Services:
    return services_of(client)


def _execute(services: Services, statement: str) -> None:
    with services.database.session() as session:
        session.execute(text(statement))


def test_a_call_has_its_waveform_from_the_start(client: TestClient, services: Services) -> None:
    with services.database.snapshot() as session:
        assert WaveformRepository(session).peaks("CALL-1") is not None
    shown = client.get("/calls/CALL-1/waveform").json()
    assert (shown["call_id"], shown["duration_seconds"], shown["step_seconds"]) == ("CALL-1", SECONDS, 0.02)
    (party,) = shown["parties"]
    assert (party["speaker"], party["channel"]) == ("speaker_0", None)
    assert len(party["peaks"]) == SECONDS * 50
    assert max(party["peaks"]) == pytest.approx(10_000 / 32_768, abs=0.01)


def test_what_is_missing_is_made_once_and_the_same(client: TestClient, services: Services) -> None:
    before = client.get("/calls/CALL-1/waveform")
    _execute(services, "DELETE FROM peaks")
    after = client.get("/calls/CALL-1/waveform")
    assert after.json() == before.json()
    with services.database.snapshot() as session:
        assert WaveformRepository(session).peaks("CALL-1") is not None
    assert not [path for path in services.scratch.root.glob("*") if path.is_dir()]
    tag = after.headers["ETag"]
    assert client.get("/calls/CALL-1/waveform", headers={"If-None-Match": tag}).status_code == 304
    assert client.get("/calls/CALL-1/waveform", headers={"If-None-Match": '"x"'}).status_code == 200


def test_without_a_recording_it_says_why(client: TestClient, services: Services) -> None:
    completed(services.database, "GONE", 0)  # its recording never was
    stored(services.database, "NEW", 1)

    def code(call_id: str) -> tuple[int, str]:
        answer = client.get(f"/calls/{call_id}/waveform")
        return answer.status_code, answer.json()["code"]

    _execute(services, f"UPDATE calls SET audio_key = '{'0' * 32}' WHERE call_id = 'GONE'")
    assert code("GONE") == (404, "audio_missing")
    _execute(services, "UPDATE calls SET audio_key = NULL WHERE call_id = 'GONE'")
    assert code("GONE") == (410, "audio_deleted")
    assert code("NEW") == (409, "call_not_ready")
    assert code("NOBODY") == (404, "call_not_found")
