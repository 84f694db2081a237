"""The library of clips over HTTP: cut, heard, filed, withheld, and gone with their calls."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.core.exceptions import DatabaseUnavailable
from app.db.repositories.clips import ClipRepository
from app.schemas.clip import KeptClip
from app.schemas.moment import Moment
from app.services.retention_service import RetentionService
from tests.api.clients import services_of, started
from tests.services.audio.recordings import make_decoder
from tests.services.reel.calls import objections, recording_of, store_call
from tests.services.webhooks.calls import FakeClock

_, PRICE, TRUST = objections().moments
TOLD = {"state": "recorded", "recorded_by": "Robin", "recorded_at": "2026-02-21T11:00:00Z"}


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return recording_of(objections(), tmp_path_factory.mktemp("sound")).read_bytes()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with started(tmp_path_factory.mktemp("clips")) as client:
        yield client


@pytest.fixture
def call(client: TestClient, wav: bytes) -> str:
    """A call of its own for each test."""
    call_id = f"CALL-{secrets.token_hex(4)}"
    store_call(services_of(client), call_id, wav, objections(), agent_id="ana", team_id="north")
    return call_id


def keep(client: TestClient, call_id: str, moment: Moment = PRICE, **more: Any) -> dict[str, Any]:
    body = {"call_id": call_id, "moment_id": moment.id, **more}
    answer = client.post("/clips", json=body)
    assert answer.status_code == 201, answer.text
    clip: dict[str, Any] = answer.json()
    return clip


def code(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def stored_files(client: TestClient) -> set[str]:
    return {file.key for file in services_of(client).storage.listed()}


def test_a_moment_is_kept_with_its_words_and_its_own_sound(
    client: TestClient, call: str, tmp_path: Path
) -> None:
    clip = keep(client, call, folder=" Price ", note="waits\nthen asks", consent=TOLD)
    assert (clip["call_id"], clip["agent_id"], clip["team_id"]) == (call, "ana", "north")
    assert (clip["type"], clip["subtype"], clip["title"]) == ("objection", "price", "Objection: price")
    assert (clip["folder"], clip["note"], clip["consent"]) == ("Price", "waits\nthen asks", TOLD)
    assert clip["start_time"] <= PRICE.evidence.start_s < PRICE.evidence.end_s <= clip["end_time"]
    (line,) = clip["excerpt"]
    assert (line["speaker"], line["role"]) == ("speaker_1", "customer")
    assert "too expensive" in line["text"]
    assert client.get(f"/clips/{clip['clip_id']}").json() == clip
    sound = client.get(f"/clips/{clip['clip_id']}/audio")
    assert (sound.status_code, sound.headers["content-type"]) == (200, "audio/mpeg")
    assert sound.headers["content-disposition"] == f'inline; filename="{clip["clip_id"]}.mp3"'
    assert len(sound.content) == clip["audio_bytes"]
    (tmp_path / "clip.mp3").write_bytes(sound.content)
    heard = make_decoder().decode(tmp_path / "clip.mp3", tmp_path)
    assert heard.duration_s == pytest.approx(clip["duration_seconds"], abs=0.1)


def test_players_may_seek_in_a_clip(client: TestClient, call: str) -> None:
    url = f"/clips/{keep(client, call)['clip_id']}/audio"
    whole = client.get(url)
    part = client.get(url, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    assert code(client.get(url, headers={"range": "bytes=99999999-"})) == (416, "range_not_satisfiable")
    assert client.get(url, headers={"if-none-match": whole.headers["etag"]}).status_code == 304
    asked = client.head(url)
    assert (asked.status_code, asked.headers["content-length"]) == (200, str(len(whole.content)))


def test_any_stretch_can_be_kept(client: TestClient, call: str) -> None:
    answer = client.post("/clips", json={"call_id": call, "start_seconds": 8.5, "end_seconds": 11})
    clip = answer.json()
    assert (clip["start_time"], clip["end_time"], clip["moment_id"]) == (8.5, 11, None)
    assert (clip["type"], clip["title"], clip["folder"], clip["note"]) == (None, "Clip", None, None)
    assert clip["consent"] == {"state": "unknown", "recorded_by": None, "recorded_at": None}
    assert clip["excerpt"] == [{"speaker": "speaker_0", "role": "agent", "text": "well I like it"}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"start_seconds": 1, "end_seconds": 1.2}, (422, "validation_error")),
        ({"start_seconds": 5, "end_seconds": 4}, (422, "validation_error")),
        ({"start_seconds": 80, "end_seconds": 90.1}, (422, "validation_error")),
        ({"start_seconds": 5}, (422, "validation_error")),
        ({}, (422, "validation_error")),
        ({"moment_id": PRICE.id, "start_seconds": 1, "end_seconds": 4}, (422, "validation_error")),
        ({"moment_id": "m_nowhere"}, (404, "moment_not_found")),
        ({"moment_id": PRICE.id, "folder": " "}, (422, "validation_error")),
        ({"moment_id": PRICE.id, "consent": {"recorded_by": "R"}}, (422, "validation_error")),
        ({"moment_id": PRICE.id, "consent": {"state": "declined"}}, (409, "consent_declined")),
        ({"moment_id": PRICE.id, "call_id": "NOWHERE"}, (404, "call_not_found")),
    ],
)
def test_what_cannot_or_may_not_be_kept(
    client: TestClient, call: str, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    before = stored_files(client)
    assert code(client.post("/clips", json={"call_id": call, **body})) == expected
    assert stored_files(client) == before


def test_clips_are_listed_filed_and_changed(client: TestClient, call: str) -> None:
    price, trust = keep(client, call), keep(client, call, TRUST, folder=f"F {call}")
    listed = client.get("/clips", params={"call_id": call, "limit": 1}).json()
    assert listed["items"] == [trust]
    rest = client.get("/clips", params={"call_id": call, "limit": 1, "cursor": listed["next_cursor"]}).json()
    assert (rest["items"], rest["next_cursor"]) == ([price], None)
    url = f"/clips/{price['clip_id']}"
    moved = client.patch(url, json={"folder": f"F {call}", "title": "Waits", "consent": TOLD}).json()
    assert moved == {**price, "folder": f"F {call}", "title": "Waits", "consent": TOLD}
    folders = client.get("/clips/folders").json()["items"]
    assert {"folder": f"F {call}", "clips": 2} in folders
    found = client.get("/clips", params={"folder": f"F {call}", "consent": "recorded", "type": "objection"})
    assert found.json()["items"] == [moved]
    assert client.patch(url, json={"folder": None}).json()["folder"] is None
    assert code(client.patch(url, json={})) == (422, "validation_error")
    assert code(client.patch("/clips/clip_0", json={"title": "x"})) == (404, "clip_not_found")


def test_a_clip_goes_with_its_sound(client: TestClient, call: str) -> None:
    before = stored_files(client)
    first, second = keep(client, call), keep(client, call)
    assert len(stored_files(client) - before) == 2
    assert client.delete(f"/clips/{first['clip_id']}").status_code == 204
    declined = client.patch(f"/clips/{second['clip_id']}", json={"consent": {"state": "declined"}})
    assert (declined.status_code, declined.content) == (204, b"")
    for clip in (first, second):
        for path in ("", "/audio"):
            assert code(client.get(f"/clips/{clip['clip_id']}{path}")) == (404, "clip_not_found")
        assert code(client.delete(f"/clips/{clip['clip_id']}")) == (404, "clip_not_found")
    assert stored_files(client) == before


def test_a_deleted_call_takes_its_clips_with_it(client: TestClient, call: str) -> None:
    clip = keep(client, call, consent=TOLD)
    record = services_of(client).calls.record(call)
    sound = services_of(client).clips.get(clip["clip_id"]).audio_key
    assert {sound, record.audio_key} <= stored_files(client)
    assert client.delete(f"/calls/{call}").status_code == 204
    assert code(client.get(f"/clips/{clip['clip_id']}")) == (404, "clip_not_found")
    assert not {sound, record.audio_key} & stored_files(client)


def test_a_legal_hold_holds_clips(client: TestClient, call: str) -> None:
    url = f"/clips/{keep(client, call)['clip_id']}"
    client.patch(f"/calls/{call}", json={"legal_hold": True})
    assert code(client.delete(url)) == (409, "legal_hold")
    assert code(client.patch(url, json={"consent": {"state": "declined"}})) == (409, "legal_hold")
    assert client.get(f"{url}/audio").status_code == 200
    client.patch(f"/calls/{call}", json={"legal_hold": False})
    assert client.delete(url).status_code == 204


def test_a_clip_with_recorded_consent_is_heard_when_the_recording_is_gone(
    client: TestClient, call: str
) -> None:
    services = services_of(client)
    kept, lost = keep(client, call, consent=TOLD), keep(client, call)
    clock = FakeClock()
    clock.advance(days=10_000)
    RetentionService(
        services.database, services.storage, audio_days=1, text_days=1, forget_elsewhere=lambda _: None,
        remove_withdrawn=lambda: None,
        clock=clock,
    ).sweep()  # fmt: skip
    assert code(client.get(f"/calls/{call}/audio")) == (410, "audio_deleted")
    assert client.get(f"/clips/{kept['clip_id']}").json() == kept
    assert len(client.get(f"/clips/{kept['clip_id']}/audio").content) == kept["audio_bytes"]
    assert code(client.get(f"/clips/{lost['clip_id']}/audio")) == (404, "clip_not_found")
    again = client.post("/clips", json={"call_id": call, "start_seconds": 1, "end_seconds": 4})
    assert code(again) == (410, "text_deleted")


def test_a_clip_that_cannot_be_written_down_leaves_no_sound(
    client: TestClient, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored_files(client)

    def fail(*_: object) -> None:
        raise DatabaseUnavailable("it is away")

    monkeypatch.setattr(ClipRepository, "add", fail)
    answer = client.post("/clips", json={"call_id": call, "moment_id": PRICE.id})
    assert code(answer) == (503, "database_unavailable")
    assert stored_files(client) == before


def test_a_clip_that_may_have_been_written_down_keeps_its_sound(
    client: TestClient, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = services_of(client).clips
    keeps = clips._keep

    def lose_the_answer(clip: KeptClip) -> None:
        keeps(clip)
        error = DatabaseUnavailable("it went away in the commit")
        error.commit_unknown = True
        raise error

    monkeypatch.setattr(clips, "_keep", lose_the_answer)
    answer = client.post("/clips", json={"call_id": call, "moment_id": PRICE.id})
    assert code(answer) == (503, "database_unavailable")
    (clip,) = client.get("/clips", params={"call_id": call}).json()["items"]
    assert client.get(f"/clips/{clip['clip_id']}/audio").status_code == 200


def test_no_clip_is_made_of_a_call_that_goes_while_it_is_cut(
    client: TestClient, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = services_of(client)
    before = stored_files(client) - {str(services.calls.record(call).audio_key)}
    cut = services.recordings.cut

    def slowly(*args: Any) -> Any:
        found = cut(*args)
        services.calls.delete(call)
        return found

    monkeypatch.setattr(services.recordings, "cut", slowly)
    answer = client.post("/clips", json={"call_id": call, "moment_id": PRICE.id})
    assert code(answer) == (404, "call_not_found")
    assert stored_files(client) == before
