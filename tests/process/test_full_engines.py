"""Whisper and a HuggingFace model through the whole service, on the miniature weights of tests/models."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.process.service import ROOT, Service, running, wav

MODELS = ROOT / "tests" / "models"
SENTIMENT = "transformer:mini_distilbert"
TRUTH = json.loads((MODELS / "mini_whisper_audio" / "truth.json").read_text())


@pytest.fixture(scope="module", params=["whisper", "faster_whisper"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[Service]:
    with running(
        tmp_path_factory.mktemp("full"),
        stt_provider=f"{engine},pocketsphinx",
        whisper_model_size=str(MODELS / "mini_whisper.pt"),
        sentiment_provider="transformer,lexicon",
        sentiment_model=str(MODELS / "mini_distilbert"),
    ) as service:
        yield service


@pytest.mark.parametrize("name", TRUTH)
def test_a_recording_is_transcribed_word_for_word(service: Service, engine: str, name: str) -> None:
    recording = Path(MODELS / "mini_whisper_audio" / f"{name}.wav").read_bytes()
    answer = service.transcribe(recording, language="en")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["transcript"] == TRUTH[name]["text"]
    assert body["engines"] == {
        "stt": f"{engine}:mini_whisper",
        "sentiment": SENTIMENT,
        "diarization": "voiceprint:ge2e",
    }
    assert body["degraded"] is False
    assert body["warnings"] == []
    assert all(segment["sentiment"] for segment in body["segments"])


def test_readiness_names_no_lesser_engine(service: Service) -> None:
    engines = service.get("/ready").json()["checks"]["engines"]
    assert not engines["stt"]["degraded"]
    assert not engines["sentiment"]["degraded"]


def test_two_parties_in_channels_of_their_own(service: Service, engine: str) -> None:
    """Both channels in one batch, each with its own words."""
    sides = [_samples(name) for name in ("question", "objection")]
    gap = np.zeros(8000, dtype="<i2")
    agent = np.concatenate([sides[0], gap, np.zeros_like(sides[1]), gap])
    customer = np.concatenate([np.zeros_like(sides[0]), gap, sides[1], gap])
    stereo = wav(np.stack([agent, customer], axis=1).tobytes(), 16000, 2)
    body = service.transcribe(stereo, language="en").json()
    assert body["engines"]["diarization"] == "channel"
    said = dict.fromkeys(("speaker_0", "speaker_1"), "")
    for segment in body["segments"]:
        said[segment["speaker"]] += f" {segment['text']}"
    assert [text.strip() for text in said.values()] == [TRUTH[n]["text"] for n in ("question", "objection")]


def _samples(name: str) -> NDArray[np.int16]:
    with wave.open(str(MODELS / "mini_whisper_audio" / f"{name}.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
