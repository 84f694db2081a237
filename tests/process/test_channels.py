"""Channels through the whole service: the demo call's two voices, laid out as telephone systems do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.schemas.audio import SAMPLE_RATE
from tests.process.service import Service, running, wav, write_script
from tests.samples.test_demo_call import CALL, Samples, decode, stretches

SAID = "nine words are heard in each window of it"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("channels")
    write_script(folder, SAID)
    with running(folder, diarization_provider="channel,voiceprint,pauses") as service:
        yield service


@pytest.fixture(scope="module")
def parties(tmp_path_factory: pytest.TempPathFactory) -> tuple[Samples, Samples]:
    """The first 40 s of the agent's and of the customer's voice, each silent while the other speaks."""
    call = decode(CALL, tmp_path_factory.mktemp("parties") / "call")
    alone = np.zeros((2, call.size), dtype=np.float32)
    for number, turn in enumerate(stretches(call)):
        first, last = round(turn.start_s * SAMPLE_RATE), round(turn.end_s * SAMPLE_RATE)
        alone[number % 2, first:last] = call[first:last]
    return alone[0, : 40 * SAMPLE_RATE], alone[1, : 40 * SAMPLE_RATE]


def recording(*channels: Samples) -> bytes:
    frames = (np.clip(np.stack(channels, axis=1), -1, 1) * 32767).astype("<i2")
    return wav(frames.tobytes(), SAMPLE_RATE, len(channels))


def analysed(service: Service, *channels: Samples, **fields: str) -> dict[str, Any]:
    answer = service.transcribe(recording(*channels), **fields)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def test_each_party_in_its_channel(service: Service, parties: tuple[Samples, Samples]) -> None:
    result = analysed(service, *parties, agent_channel="1")
    assert result["separate_channels"]
    assert result["engines"]["diarization"] == "channel"
    assert sorted((s["channel"], s["role"]) for s in result["speakers"]) == [(0, "customer"), (1, "agent")]


def test_a_very_quiet_side_survives(service: Service, parties: tuple[Samples, Samples]) -> None:
    agent, customer = parties
    assert len(analysed(service, agent, customer * 0.02)["speakers"]) == 2


def test_the_same_signal_in_both_channels_is_heard_once(
    service: Service, parties: tuple[Samples, Samples]
) -> None:
    mix = parties[0] + parties[1]
    single, double = analysed(service, mix), analysed(service, mix, mix * 0.7)
    assert not double["separate_channels"]
    assert double["engines"]["diarization"] == "voiceprint:ge2e"
    assert double["transcript"] == single["transcript"]
    assert len(double["speakers"]) == len(single["speakers"]) == 2


def test_a_silent_channel_is_left_out(service: Service, parties: tuple[Samples, Samples]) -> None:
    mix = parties[0] + parties[1]
    hiss = np.random.default_rng(1).normal(0, 0.001, mix.size).astype(np.float32)
    for other in (np.zeros_like(mix), hiss):
        result = analysed(service, mix, other)
        assert not result["separate_channels"]
        assert result["engines"]["diarization"] == "voiceprint:ge2e"
        assert len(result["speakers"]) == 2


def test_one_party_only(service: Service, parties: tuple[Samples, Samples]) -> None:
    agent, _ = parties
    in_stereo = analysed(service, agent, np.zeros_like(agent), agent_channel="0")
    assert [(s["role"], s["role_source"]) for s in in_stereo["speakers"]] == [("agent", "channel")]
    assert len(analysed(service, agent)["speakers"]) == 1


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_number_of_speakers_is_obeyed(
    service: Service, parties: tuple[Samples, Samples], number: int
) -> None:
    result = analysed(service, parties[0] + parties[1], num_speakers=str(number))
    assert len(result["speakers"]) == number


def test_a_call_of_200_ms(service: Service, parties: tuple[Samples, Samples]) -> None:
    agent, customer = (party[: SAMPLE_RATE // 5] for party in parties)
    for channels in ((agent,), (agent, customer)):
        result = analysed(service, *channels)
        assert result["status"] == "completed"
        assert len(result["speakers"]) <= 1
        assert result["duration_seconds"] == 0.2


def test_the_same_recording_gives_the_same_result(
    service: Service, parties: tuple[Samples, Samples], tmp_path: Path
) -> None:
    def found(result: dict[str, Any]) -> dict[str, Any]:
        changing = ("call_id", "created_at", "completed_at")
        moments = [{**moment, "id": None} for moment in result["moments"]]
        segments = [{**segment, "moments": None} for segment in result["segments"]]
        kept = {name: value for name, value in result.items() if name not in changing}
        return {**kept, "moments": moments, "segments": segments}

    mix = parties[0] + parties[1]
    results = [found(analysed(service, mix)) for _ in range(3)]
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize(
    ("field", "value"), [("agent_channel", "2"), ("num_speakers", "many"), ("num_speakers", "0")]
)
def test_odd_options_are_named(service: Service, field: str, value: str) -> None:
    answer = service.transcribe(wav(bytes(32000)), **{field: value})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
