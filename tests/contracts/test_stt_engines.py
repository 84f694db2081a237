"""What every speech-to-text engine promises, asked of each that the registry knows."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.config import Settings
from app.schemas.engine import EngineState
from app.services.stt.base import SttEngine, SttRequest
from app.services.stt.registry import STT_ENGINES
from app.services.stt.whisper_checkpoint import WhisperCheckpoint
from app.services.stt_service import SttService
from tests.services.stt.audio_api_server import answer, audio_api
from tests.services.stt.makers import (
    MINI,
    Samples,
    closed_network,
    closed_port,
    request_for,
    sidecar,
    silence,
    spoken,
    window_of,
)
from tests.settings import make_settings

NAMES = pytest.mark.parametrize("name", STT_ENGINES.names())
LIBRARIES = {"faster_whisper": "faster_whisper", "whisper": "whisper", "pocketsphinx": "pocketsphinx"}
"""Engine -> the module that it cannot do without."""
ON_THIS_MACHINE = [name for name in STT_ENGINES.names() if name != "openai_api"]
"""Those that do not ask a server."""
SAID = [{"text": "Thank", "start": 0.0, "end": 0.4}, {"text": "you.", "start": 0.4, "end": 1.2}]
ANSWER = {
    "text": "Thank you.",
    "language": "english",
    "segments": [{"text": "Thank you.", "start": 0.0, "end": 1.2, "avg_logprob": -0.2}],
    "words": [{"word": word["text"], "start": word["start"], "end": word["end"]} for word in SAID],
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SttService]:
    """All engines, loaded once; a server that hears words in everything."""
    with audio_api(answer(**ANSWER)) as api:
        service = SttService(settings_for(tmp_path_factory.mktemp("engines"), stt_api_base=api.base))
        for name in service.engines:
            service.load(name)
        yield service


def settings_for(folder: Path, **overrides: Any) -> Settings:
    return make_settings(
        folder,
        stt_provider=STT_ENGINES.names(),
        whisper_model_size=str(MINI),
        scripted_transcript=sidecar(folder, words=SAID),
        engine_threads=1,
        **overrides,
    )


def make_engine(name: str, folder: Path) -> SttEngine:
    return STT_ENGINES.create(name, settings_for(folder))


def speech() -> Samples:
    return np.concatenate([spoken("objection").samples, silence(0.3)])


@NAMES
def test_known_speech_gives_words_in_order_inside_the_recording(name: str, service: SttService) -> None:
    samples = speech()
    window = window_of(20_000, len(samples) - 20_000)
    heard = service.transcribe(name, [SttRequest(samples, None, window)])[0]
    assert heard.words
    assert heard.language == "en"
    assert any(word.ends_segment for word in heard.words) or name == "scripted"
    for word in heard.words:
        assert word.text == word.text.strip() != ""
        assert word.confidence is None or 0 <= word.confidence <= 1
        assert word.start_s <= word.end_s
        assert any(p.start_s <= word.start_s and word.end_s <= p.end_s for p in window.pieces)
    for before, after in pairwise(heard.words):
        assert before.end_s <= after.start_s


@NAMES
def test_what_was_heard_before_does_not_matter(name: str, service: SttService) -> None:
    one, other = request_for(speech()), request_for(spoken("question").samples[:14_000] * 0.3)
    engine = service.engines[name]
    first = engine.transcribe(one)
    for _ in range(2):
        engine.transcribe(other)
        assert engine.transcribe(one) == first


@NAMES
def test_a_request_is_left_as_it_was(name: str, service: SttService) -> None:
    request = request_for(speech())
    before = request.samples.copy()
    service.engines[name].transcribe(request)
    assert np.array_equal(request.samples, before)


@NAMES
@pytest.mark.parametrize("seconds", [0, 0.01, 0.3, 3])
def test_silence_does_no_harm(name: str, service: SttService, seconds: float) -> None:
    samples = silence(seconds)
    heard = service.transcribe(name, [SttRequest(samples, None, window_of(len(samples), begins_s=100.0))])[0]
    assert heard.words == () or name == "scripted"


@NAMES
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_language_that_is_spoken_is_obeyed(name: str, service: SttService, language: str) -> None:
    engine = service.engines[name]
    if not engine.capabilities.speaks(language):
        assert engine.capabilities.languages == frozenset({"en"})
        return
    heard = service.transcribe(name, [SttRequest(speech(), language, window_of(len(speech())))])[0]
    assert heard.language == language


@NAMES
def test_what_the_engine_says_of_itself(name: str, service: SttService) -> None:
    engine = service.engines[name]
    assert engine.name == name
    assert re.fullmatch(rf"{name}(:[\w.\-]+)?", engine.label)
    assert engine.capabilities.word_times is (name != "openai_api")
    assert (engine.capabilities.lesser is not None) is (name == "pocketsphinx")
    assert engine.capabilities.speaks(None) and engine.capabilities.speaks("en")


@pytest.mark.parametrize("name", ON_THIS_MACHINE)
def test_no_data_leaves_the_machine(name: str, tmp_path: Path) -> None:
    with closed_network() as tried:
        engine = make_engine(name, tmp_path)
        assert not engine.capabilities.sends_data_out
        assert engine.availability().state is EngineState.READY
        engine.fetch()
        engine.load()
        engine.transcribe(request_for(spoken("promise").samples[:14_000]))
    assert tried == []


@NAMES
def test_looking_never_raises(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing on the machine: no sidecar, no weights, no network."""
    monkeypatch.setattr(WhisperCheckpoint, "download_host", ("127.0.0.1", closed_port()))
    bare = make_settings(tmp_path, whisper_model_size="base")
    seen = STT_ENGINES.create(name, bare).availability()
    assert seen.state in EngineState
    assert seen.state is EngineState.READY or (seen.reason and seen.fix)


@pytest.mark.parametrize(("name", "module"), LIBRARIES.items())
def test_without_its_library_it_says_what_to_install(
    name: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    seen = make_engine(name, tmp_path).availability()
    assert seen.state is EngineState.UNAVAILABLE
    assert seen.reason == f"{module} is not installed"
    assert seen.fix == f'pip install "darwix-ai[{name}]"'


@NAMES
def test_loading_twice_loads_once(name: str, tmp_path: Path) -> None:
    engine = make_engine(name, tmp_path)
    engine.load()
    model = dict(vars(engine))
    engine.load()
    assert all(vars(engine)[key] is value for key, value in model.items())
