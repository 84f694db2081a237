"""What the speech-to-text tests share: known speech, windows over it, settings, a closed network."""

from __future__ import annotations

import json
import pickle
import socket
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.config import Settings
from app.schemas.audio import SAMPLE_RATE, Span
from app.services.audio.windows import SpeechWindow
from app.services.stt.base import SttRequest
from tests.settings import make_settings

MODELS = Path(__file__).resolve().parents[2] / "models"
MINI = MODELS / "mini_whisper.pt"
RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "audio"
SENTENCES = ("greeting", "question", "objection", "promise")

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Spoken:
    """A recording of the miniature Whisper's, with what is said in it and when."""

    samples: Samples
    text: str
    words: tuple[tuple[str, float, float], ...]


def spoken(name: str) -> Spoken:
    truth = json.loads((MODELS / "mini_whisper_audio" / "truth.json").read_text())[name]
    words = tuple((word["text"], word["start"], word["end"]) for word in truth["words"])
    return Spoken(read_wav(MODELS / "mini_whisper_audio" / f"{name}.wav"), truth["text"], words)


class _Payload:
    def __init__(self, target: Path) -> None:
        self._target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._target,))


def write_trap(folder: Path, *, zipped: bool) -> tuple[Path, Path]:
    """Weights that would run a program when they are read, and the file that would then be there."""
    import torch

    trap, weights = folder / "executed", folder / "evil.pt"
    content = {"dims": _Payload(trap), "model_state_dict": {}}
    if zipped:
        torch.save(content, weights)
    else:
        weights.write_bytes(pickle.dumps(content))
    pickle.loads(pickle.dumps(_Payload(folder / "armed")))
    assert (folder / "armed").exists()
    return weights, trap


def read_wav(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE, 1, 2)
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return pcm.astype(np.float32) / 32768.0


def recording(name: str) -> Samples:
    """A real recording at 16 kHz; the test is skipped where the folder of them is absent."""
    path = RECORDINGS / name
    if not path.is_file():
        pytest.skip(f"the recordings are not here: no {name}")
    return read_wav(path)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)


def window_of(*lengths: int, begins_s: float = 0.0, gap_s: float = 1.0) -> SpeechWindow:
    """Pieces of so many samples, ``gap_s`` apart in the recording."""
    pieces = []
    for length in lengths:
        pieces.append(Span(begins_s, begins_s + length / SAMPLE_RATE))
        begins_s = pieces[-1].end_s + gap_s
    return SpeechWindow(tuple(pieces))


def request_for(*pieces: Samples, language: str | None = None) -> SttRequest:
    return SttRequest(np.concatenate(pieces), language, window_of(*map(len, pieces)))


def whisper_settings(folder: Path, model: Path | str = MINI, **overrides: Any) -> Settings:
    return make_settings(folder, **{"whisper_model_size": str(model), "engine_threads": 1, **overrides})


def sidecar(folder: Path, **content: Any) -> Path:
    path = folder / "sidecar.json"
    path.write_text(json.dumps(content))
    return path


@contextmanager
def closed_network() -> Iterator[list[object]]:
    """Refuses every connection inside, and lists those that were tried."""
    tried: list[object] = []

    def refuse(*arguments: object, **_options: object) -> None:
        tried.append(arguments[-1])
        raise OSError("the network is closed in this test")

    with patch.object(socket, "getaddrinfo", refuse), patch.object(socket.socket, "connect", refuse):
        yield tried


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
