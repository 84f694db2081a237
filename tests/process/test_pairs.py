"""Two calls at once give each exactly what it gives alone, on real engines in one process."""

from __future__ import annotations

import json
import random
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from tests.process.service import ROOT, Service, running, wav

MODELS = ROOT / "tests" / "models"
AUDIO = MODELS / "mini_whisper_audio"
PAIRS = 50


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(
        tmp_path_factory.mktemp("pairs"),
        stt_provider="faster_whisper",
        whisper_model_size=str(MODELS / "mini_whisper.pt"),
        sentiment_provider="transformer",
        sentiment_model=str(MODELS / "mini_distilbert"),
    ) as service:
        yield service


def recordings() -> dict[str, bytes]:
    """Two sentences each, in both orders, one after the other or at once in two channels."""
    spoken = {}
    for path in sorted(AUDIO.glob("*.wav")):
        with wave.open(str(path)) as file:
            spoken[path.stem] = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    gap = np.zeros(12_000, dtype="<i2")
    made = {}
    for first, second in permutations(json.loads((AUDIO / "truth.json").read_text()), 2):
        made[f"{first}, {second}"] = wav(np.concatenate([spoken[first], gap, spoken[second]]).tobytes())
        longest = max(len(spoken[first]), len(spoken[second]))
        sides = [np.pad(spoken[name], (0, longest - len(spoken[name]))) for name in (first, second)]
        made[f"{first} with {second}"] = wav(np.stack(sides, axis=1).tobytes(), channels=2)
    return made


def heard(service: Service, recording: bytes) -> dict[str, Any]:
    """The result, but for what names the call or the time."""
    answer = service.transcribe(recording, language="en")
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    service.delete(f"/calls/{result['call_id']}")
    for name in ("call_id", "created_at", "completed_at"):
        del result[name]
    for moment in [*result["moments"], *(m for s in result["segments"] for m in s["moments"])]:
        del moment["id"]
    return result


def test_fifty_pairs_of_calls_give_what_each_gives_alone(service: Service) -> None:
    calls = recordings()
    alone = {name: heard(service, recording) for name, recording in calls.items()}
    assert len({json.dumps(result) for result in alone.values()}) == len(calls)
    draw = random.Random(50)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(PAIRS):
            pair = draw.sample(sorted(calls), 2)
            together = list(pool.map(lambda name: heard(service, calls[name]), pair))
            assert together == [alone[name] for name in pair]
