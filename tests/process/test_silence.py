"""Through the whole service, embedded engine: no text where nobody talks, all of it where somebody does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from app.schemas.audio import SAMPLE_RATE
from tests.process.service import Service, running, wav
from tests.samples.test_demo_call import CALL, decode
from tests.services.audio.nonspeech import Samples, made

ONCE = ("digital silence", "dither", "pink noise", "office", "ring US", "busy EU", "keys")
MUSIC = ("melody over chords, telephone", "band, low bit rate", "bells", "saxophone, telephone")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("silence")
    with running(folder, stt_provider="pocketsphinx", diarization_provider="pauses") as service:
        yield service


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """The first 20 s of the demo call."""
    return decode(CALL, tmp_path_factory.mktemp("talk") / "call")[: 20 * SAMPLE_RATE]


def analysed(service: Service, samples: Samples) -> dict[str, Any]:
    pcm = np.clip(np.round(samples * 32767), -32768, 32767).astype("<i2").tobytes()
    answer = service.transcribe(wav(pcm), language="en")
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


@pytest.mark.parametrize("name", ONCE)
def test_no_text_where_nobody_talks(service: Service, name: str) -> None:
    result = analysed(service, 0.3 * made(name))

    assert (result["status"], result["transcript"], result["segments"]) == ("completed", "", [])


@pytest.mark.parametrize("name", MUSIC)
def test_at_most_one_word_in_a_minute_of_music(service: Service, name: str) -> None:
    assert len(analysed(service, 0.3 * made(name))["transcript"].split()) <= 1


@pytest.mark.parametrize("name", ["ring US", "melody over chords, telephone"])
def test_what_is_said_after_the_wait_is_heard(service: Service, talk: Samples, name: str) -> None:
    wait_s = 30
    alone = analysed(service, talk)
    after = analysed(service, np.concatenate((0.3 * made(name)[: wait_s * SAMPLE_RATE], talk)))

    assert min(segment["start_time"] for segment in after["segments"]) >= wait_s - 0.5
    said, heard = alone["transcript"].split(), after["transcript"].split()
    assert len(said) > 20
    assert abs(len(heard) - len(said)) <= 0.1 * len(said)


def test_quiet_talk_is_heard(service: Service, talk: Samples) -> None:
    loud, quiet = (analysed(service, talk * factor)["transcript"].split() for factor in (1.0, 0.1))

    assert len(quiet) >= 0.9 * len(loud) > 20
