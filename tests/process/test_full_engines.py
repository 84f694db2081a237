"""Whisper and a HuggingFace model through the whole service, on the miniature weights of tests/models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.service import ROOT, Service, running

MODELS = ROOT / "tests" / "models"
TRUTH = json.loads((MODELS / "mini_whisper_audio" / "truth.json").read_text())


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(
        tmp_path_factory.mktemp("full"),
        stt_provider="whisper,pocketsphinx",
        whisper_model_size=str(MODELS / "mini_whisper.pt"),
        sentiment_provider="transformer,lexicon",
        sentiment_model=str(MODELS / "mini_distilbert"),
    ) as service:
        yield service


@pytest.mark.parametrize("name", TRUTH)
def test_a_recording_is_transcribed_word_for_word(service: Service, name: str) -> None:
    recording = Path(MODELS / "mini_whisper_audio" / f"{name}.wav").read_bytes()
    answer = service.transcribe(recording, language="en")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["transcript"] == TRUTH[name]["text"]
    assert body["engines"] == {
        "stt": "whisper:mini_whisper",
        "sentiment": "transformer:mini_distilbert",
        "diarization": "voiceprint:ge2e",
    }
    assert body["degraded"] is False
    assert body["warnings"] == []
    assert all(segment["sentiment"] for segment in body["segments"])


def test_readiness_names_no_lesser_engine(service: Service) -> None:
    engines = service.get("/ready").json()["checks"]["engines"]
    assert not engines["stt"]["degraded"]
    assert not engines["sentiment"]["degraded"]
