"""Reels over HTTP: MP3, cues as JSON, WebVTT chapters; what is refused; and players that seek in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from tests.api.clients import services_of, started
from tests.api.test_recordings import code, release_recordings
from tests.services.reel.calls import VBR, objections, recording_of, store_call
from tests.services.reel.id3 import read_tag

ORIGINAL = {"call_id": "CALL-1", "source": "original"}


@pytest.fixture(scope="module")
def vbr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recording_of(objections(), tmp_path_factory.mktemp("vbr"), "call.mp3", *VBR)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, vbr: Path) -> Iterator[TestClient]:
    with started(tmp_path_factory.mktemp("reels")) as client:
        for call_id in ("CALL-1", "CALL-2"):
            store_call(services_of(client), call_id, vbr, objections(call_id), agent_id="agent-7")
        yield client


def ask(client: TestClient, path: str, accept: str = "*/*", **fields: Any) -> Response:
    return client.post(path, json=fields, headers={"accept": accept})


def test_a_reel_is_an_mp3_or_its_cues_or_chapters(client: TestClient) -> None:
    sound = ask(client, "/replay", **ORIGINAL)
    assert sound.status_code == 200, sound.text
    assert sound.headers["content-type"] == "audio/mpeg"
    assert sound.headers["content-disposition"] == 'attachment; filename="replay-CALL-1.mp3"'
    told = {name: sound.headers[name] for name in ("x-tts-engine", "x-moments", "x-moments-unspoken")}
    assert told == {"x-tts-engine": "none", "x-moments": "3", "x-moments-unspoken": "0"}
    assert sound.headers["content-length"] == str(len(sound.content))

    cues = ask(client, "/replay", "application/json", **ORIGINAL)
    assert cues.headers["content-type"] == "application/json"
    reel = cues.json()
    assert reel["audio_url"] == sound.headers["content-location"] == cues.headers["content-location"]
    chapters = read_tag(sound.content).chapters
    assert [cue["title"] for cue in reel["cues"]] == [chapter.title for chapter in chapters]
    assert [cue["start_time"] for cue in reel["cues"]] == [chapter.start_ms / 1000 for chapter in chapters]
    first, moment = reel["cues"][0], objections().moments[0]
    assert {name: first[name] for name in ("call_id", "moment_id", "type", "subtype", "role", "speaker")} == {
        "call_id": "CALL-1", "moment_id": moment.id, "type": "buying_signal", "subtype": None,
        "role": "agent", "speaker": "speaker_0",
    }  # fmt: skip
    assert first["call_start_time"] < moment.evidence.start_s < moment.evidence.end_s < first["call_end_time"]
    assert "like it" not in cues.text  # no words of the call

    vtt = ask(client, "/replay", "text/vtt", **ORIGINAL)
    assert vtt.headers["content-type"].startswith("text/vtt")
    assert vtt.text.splitlines()[:4] == [
        "WEBVTT", "", moment.id, f"00:00:00.000 --> 00:00:0{first['end_time']:.3f}",
    ]  # fmt: skip
    assert vtt.text.count("-->") == 3


def test_narrated_names_its_voice(client: TestClient) -> None:
    answer = ask(client, "/replay", call_id="CALL-1", source="narrated", types=["objection"], max_seconds=30)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-tts-engine"] == "pyttsx3:espeak-ng"
    assert 0 < int(answer.headers["x-moments"]) <= 2


def test_without_fields_it_is_read_out_as_before(client: TestClient) -> None:
    answer = ask(client, "/replay", call_id="CALL-1")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
    assert (answer.headers["x-tts-engine"], answer.headers["x-moments"]) == ("pyttsx3:espeak-ng", "3")


def test_players_get_a_reel_by_its_id_and_seek_in_it(client: TestClient) -> None:
    made = ask(client, "/replay", **ORIGINAL)
    url = made.headers["content-location"]
    browser = {"accept": "audio/webm,audio/ogg,audio/wav,audio/*;q=0.9,application/ogg;q=0.7,*/*;q=0.5"}
    whole = client.get(url, headers=browser)
    assert (whole.status_code, whole.content) == (200, made.content)
    assert whole.headers["content-disposition"].startswith("inline;")
    part = client.get(url, headers={"range": "bytes=100-199", **browser})
    assert (part.status_code, part.content) == (206, made.content[100:200])
    assert client.head(url).headers["content-length"] == str(len(made.content))
    assert client.get(f"{url}?format=vtt").text.startswith("WEBVTT")
    assert client.get(f"{url}?format=json").json()["audio_url"] == url
    assert code(client.get(url, headers={"range": "bytes=99999999-"})) == (416, "range_not_satisfiable")
    # A range means nothing to a POST.
    again = client.post("/replay", json=ORIGINAL, headers={"range": "bytes=0-1", "if-none-match": "*"})
    assert (again.status_code, again.content) == (200, made.content)


def test_a_reel_of_several_calls(client: TestClient) -> None:
    by_filter = ask(client, "/reels", "application/json", source="original", agent_id="agent-7",
                    types=["objection"], subtypes=["price"])  # fmt: skip
    assert by_filter.status_code == 200, by_filter.text
    titles = [cue["title"] for cue in by_filter.json()["cues"]]
    assert titles == [f"CALL-{number} \N{MIDDLE DOT} Objection: price (0:30)" for number in (1, 2)]

    named = [
        {"call_id": "CALL-2", "moment_id": objections("CALL-2").moments[2].id},
        {"call_id": "CALL-1", "moment_id": objections("CALL-1").moments[0].id},
    ]
    answer = ask(client, "/reels", source="original", moments=named)
    assert answer.status_code == 200, answer.text
    assert [chapter.title[:6] for chapter in read_tag(answer.content).chapters] == ["CALL-2", "CALL-1"]


@pytest.mark.parametrize(
    ("path", "fields", "expected"),
    [
        ("/replay", {"call_id": "NONE"}, (404, "call_not_found")),
        ("/replay", {"call_id": "CALL-1", "types": ["confusion"]}, (404, "no_coachable_moments")),
        ("/replay", {**ORIGINAL, "max_seconds": 1}, (422, "no_moment_fits")),
        ("/replay", {**ORIGINAL, "max_seconds": 0}, (422, "validation_error")),
        ("/replay", {**ORIGINAL, "source": "sung"}, (422, "validation_error")),
        ("/replay", {**ORIGINAL, "types": ["none"]}, (422, "validation_error")),
        ("/replay", {**ORIGINAL, "min_confidence": 1.5}, (422, "validation_error")),
        ("/replay", {**ORIGINAL, "volume": 11}, (422, "validation_error")),
        ("/reels", {}, (422, "validation_error")),
        ("/reels", {"source": "original"}, (422, "validation_error")),
        ("/reels", {"agent_id": "nobody"}, (404, "no_coachable_moments")),
        ("/reels", {"moments": [{"call_id": "CALL-1", "moment_id": "m_0"}]}, (404, "moment_not_found")),
        ("/reels", {"moments": [{"call_id": "NONE", "moment_id": "m_0"}]}, (404, "call_not_found")),
        (
            "/reels",
            {"moments": [{"call_id": "CALL-1", "moment_id": "m_0"}], "role": "agent"},
            (422, "validation_error"),
        ),
        ("/reels", {"moments": [{"call_id": "CALL-1", "moment_id": "m"}] * 101}, (422, "validation_error")),
    ],
)
def test_what_cannot_be_is_refused(
    path: str, fields: dict[str, Any], expected: tuple[int, str], client: TestClient
) -> None:
    assert code(ask(client, path, **fields)) == expected


def test_fields_that_do_not_go_together_are_told_so(client: TestClient) -> None:
    told = ask(client, "/reels", moments=[]).json()["errors"]
    assert told == [{"field": "body", "message": "give either moments or filters"}]


def test_reels_that_are_not_there(client: TestClient) -> None:
    assert code(client.get(f"/reels/{'0' * 32}")) == (404, "reel_not_found")
    assert client.get("/reels/..%2f..%2fetc").status_code == 404
    assert code(client.get("/reels/short")) == (422, "validation_error")


def test_a_reel_without_a_recording_to_hear_is_gone(tmp_path: Path, vbr: Path) -> None:
    with started(tmp_path) as client:
        store_call(services_of(client), "CALL-1", vbr, objections())
        url = ask(client, "/replay", **ORIGINAL).headers["content-location"]
        release_recordings(services_of(client))
        assert code(client.get(url)) == (404, "reel_not_found")
        for source in ("original", "narrated"):
            assert code(ask(client, "/replay", call_id="CALL-1", source=source)) == (410, "audio_deleted")
        assert ask(client, "/replay", call_id="CALL-1").status_code == 200
