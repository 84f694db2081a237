"""Speech over HTTP: a Piper voice from a file, the same text spoken once, no words left of a deleted call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from scripts.make_mini_piper_voice import write_voice
from tests.process.service import Service, running, tone

SAID = "it is too expensive for our budget"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("speech")
    words = [
        {"text": word, "start": 1 + at * 0.2, "end": 1.15 + at * 0.2} for at, word in enumerate(SAID.split())
    ]
    (folder / "transcript.json").write_text(json.dumps({"language": "en", "words": words}))
    voice = write_voice(folder / "voices")
    settings = {"tts_provider": "piper,pyttsx3", "piper_voice": str(voice), "diarization_provider": "pauses"}
    with running(folder, workers=2, **settings) as service:
        yield service


def kept_files(service: Service) -> set[Path]:
    return {path for path in service.stored_files() if "tts-cache" in path.parts}


def speak(service: Service, text: str, **fields: str) -> httpx.Response:
    answer = service.post("/speak", json={"text": text, "format": "wav", **fields})
    assert answer.status_code == 200, answer.text
    return answer


def test_the_voice_of_the_file_speaks_its_language_and_another_voice_the_rest(service: Service) -> None:
    assert speak(service, "Good morning.").headers["x-tts-engine"] == "piper:en_US-mini-low"
    assert speak(service, "Guten Morgen.", language="de").headers["x-tts-engine"] == "pyttsx3:espeak-ng"


def test_the_same_text_is_one_sound_for_all_who_ask_at_once(service: Service) -> None:
    before = kept_files(service)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: speak(service, "How can I help you?"), range(8)))
    assert len({answer.content for answer in answers}) == 1
    (kept,) = kept_files(service) - before
    assert kept.stat().st_mode & 0o777 == 0o600
    assert speak(service, "How can I help you?").content == answers[0].content
    assert kept_files(service) - before == {kept}


def test_what_was_read_out_of_a_call_goes_with_the_call(service: Service) -> None:
    assert service.transcribe(tone(4), call_id="CALL-1").status_code == 200
    before = kept_files(service)
    first, second = (service.post("/replay", json={"call_id": "CALL-1"}) for _ in range(2))
    assert first.status_code == 200, first.text
    assert first.content == second.content
    assert len(kept_files(service) - before) == int(first.headers["x-moments"]) > 0
    assert service.delete("/calls/CALL-1").status_code == 204
    assert kept_files(service) == before
