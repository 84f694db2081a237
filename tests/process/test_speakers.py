"""Who spoke, over HTTP: channels, roles, and a reviewer's corrections of them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.process.service import Service, running, wav

RATE = 8000
LENGTH_S = 24
AGENT = (
    (0.5, "thank you for calling northwind support my name is dana how can i help you today"),
    (13.0, "i can knock twenty percent off that for you"),
)
CUSTOMER = ((6.5, "my invoice is wrong and that is too expensive for our budget"),)


def words(channel: int, *said: tuple[float, str]) -> list[dict[str, Any]]:
    return [
        {"text": word, "start": start + 0.3 * at, "end": start + 0.3 * at + 0.25, "channel": channel}
        for start, text in said
        for at, word in enumerate(text.split())
    ]


def stereo(*busy: tuple[float, float]) -> bytes:
    """Two channels of noise bursts, in each while its party speaks."""
    state, frames = 1, bytearray()
    for at in range(LENGTH_S * RATE):
        state = (1103515245 * state + 12345) % 2**31
        loud = (state >> 16) % 12000 - 6000
        agent, customer = (any(a <= at / RATE < b for a, b in busy[n::2]) for n in (0, 1))
        frames += struct.pack("<2h", loud if agent else 0, loud if customer else 0)
    return wav(bytes(frames), RATE, 2)


BUSY = ((0.5, 6.0), (6.5, 11.0), (13.0, 16.0))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("speakers")
    spoken = sorted(words(0, *AGENT) + words(1, *CUSTOMER), key=lambda word: word["start"])
    (folder / "transcript.json").write_text(json.dumps({"language": "en", "words": spoken}))
    with running(folder, diarization_provider="channel,voiceprint,pauses") as service:
        yield service


@pytest.fixture(scope="module")
def call(service: Service) -> dict[str, Any]:
    answer = service.transcribe(stereo(*BUSY), call_id="CALL-1")
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def patch(service: Service, body: Any, call_id: str = "CALL-1") -> httpx.Response:
    return httpx.patch(f"{service.url}/calls/{call_id}/speakers", json=body, timeout=60)


def roles(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(speaker["id"], speaker["role"]) for speaker in result["speakers"]]


def test_each_party_has_its_channel_and_its_role_from_what_it_says(call: dict[str, Any]) -> None:
    assert call["separate_channels"]
    assert call["engines"]["diarization"] == "channel"
    assert roles(call) == [("speaker_0", "agent"), ("speaker_1", "customer")]
    assert [speaker["role_source"] for speaker in call["speakers"]] == ["words", "words"]
    assert [(s["speaker"], s["role"]) for s in call["segments"]] == [
        ("speaker_0", "agent"),
        ("speaker_1", "customer"),
        ("speaker_0", "agent"),
    ]
    kinds = {(moment["type"], moment["role"]) for moment in call["moments"]}
    assert {("objection", "customer"), ("discount_offer", "agent")} <= kinds


def test_the_channel_that_is_named_for_the_agent_wins_over_words(service: Service) -> None:
    result = service.transcribe(stereo(*BUSY), agent_channel="1").json()
    assert roles(result) == [("speaker_0", "customer"), ("speaker_1", "agent")]
    assert {(s["role_source"], s["role_confidence"]) for s in result["speakers"]} == {("channel", 1.0)}


def test_a_swap_recomputes_everything_and_a_second_gives_the_identical_result(
    service: Service, call: dict[str, Any]
) -> None:
    swapped = patch(service, {"swap": ["speaker_0", "speaker_1"]})
    assert swapped.status_code == 200, swapped.text
    result = swapped.json()
    assert roles(result) == [("speaker_0", "customer"), ("speaker_1", "agent")]
    assert {speaker["role_source"] for speaker in result["speakers"]} == {"manual"}
    # An objection is a customer's, a discount an agent's: neither holds with the roles exchanged.
    assert not {"objection", "discount_offer"} & {moment["type"] for moment in result["moments"]}
    assert result["metrics"] != call["metrics"]
    assert service.get("/calls/CALL-1").json() == result
    again = patch(service, {"swap": ["speaker_1", "speaker_0"]})
    assert again.json() == call
    assert service.get("/calls/CALL-1").json() == call


def test_names_and_roles_are_set_and_taken_back(service: Service, call: dict[str, Any]) -> None:
    right = {"speaker_0": {"name": "Dana", "role": "unknown"}, "speaker_1": {"name": "Ada"}}
    named = patch(service, {"speakers": right}).json()
    assert [speaker["name"] for speaker in named["speakers"]] == ["Dana", "Ada"]
    assert roles(named)[0] == ("speaker_0", "unknown")
    back = patch(
        service,
        {"speakers": {"speaker_0": {"name": None, "role": "agent"}, "speaker_1": {"name": None}}},
    ).json()
    assert roles(back) == roles(call)
    assert [speaker["name"] for speaker in back["speakers"]] == [None, None]
    assert [moment["id"] for moment in back["moments"]] == [moment["id"] for moment in call["moments"]]


def test_merged_speakers_are_one(service: Service) -> None:
    service.transcribe(stereo(*BUSY), call_id="CALL-2")
    merged = patch(service, {"merge": [{"speaker": "speaker_1", "into": "speaker_0"}]}, "CALL-2").json()
    assert roles(merged) == [("speaker_0", "agent")]
    assert {segment["speaker"] for segment in merged["segments"]} == {"speaker_0"}
    assert len(merged["segments"]) == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"swap": ["speaker_0"]}, "swap"),
        ({"swap": ["speaker_0", "speaker_0"]}, "swap"),
        ({"swap": ["speaker_0", "speaker_9"]}, "swap"),
        ({"merge": [{"speaker": "speaker_9", "into": "speaker_0"}]}, "merge"),
        ({"speakers": {"speaker_0": {"role": "boss"}}}, "speakers.speaker_0.role"),
        ({"speakers": {"speaker_0": {"role": None}}}, "speakers.speaker_0.role"),
        ({"speakers": {"speaker_0": {"name": "a\nb"}}}, "speakers.speaker_0.name"),
        ({"speakers": {"bob": {"name": "x"}}}, "speakers.bob"),
        ({"status": "failed", "swap": ["speaker_0", "speaker_1"]}, "status"),
        ([], "body"),
    ],
)
def test_a_wrong_correction_is_named_and_changes_nothing(
    service: Service, call: dict[str, Any], body: Any, field: str
) -> None:
    before = service.get("/calls/CALL-1").json()
    answer = patch(service, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), answer.text
    assert answer.json()["errors"][0]["field"].startswith(field)
    assert service.get("/calls/CALL-1").json() == before


def test_an_unknown_call_and_one_without_a_result(service: Service) -> None:
    answer = patch(service, {"swap": ["speaker_0", "speaker_1"]}, "NOBODY")
    assert (answer.status_code, answer.json()["code"]) == (404, "call_not_found")


def test_nothing_is_transcribed_again(service: Service) -> None:
    service.transcribe(stereo(*BUSY), call_id="CALL-3")
    transcribed = len([line for line in service.log_lines() if line["event"] == "stt.windows_done"])
    patch(service, {"swap": ["speaker_0", "speaker_1"]}, "CALL-3")
    patch(service, {"speakers": {"speaker_0": {"name": "Ada"}}}, "CALL-3")
    done = len([line for line in service.log_lines() if line["event"] == "stt.windows_done"])
    assert done == transcribed
    assert service.delete("/calls/CALL-3").status_code == 204
    assert patch(service, {"swap": ["speaker_0", "speaker_1"]}, "CALL-3").status_code == 404
