"""Real calls with their speakers' times, decoded, and what an engine is asked about them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from app.core.config import Settings
from app.schemas.audio import SAMPLE_RATE, Audio, ChannelKind, ChannelLayout, Span
from app.schemas.transcript import Transcript, Turn, Word
from app.services.audio.vad import VoiceActivity
from app.services.diarization.base import DiarizationRequest
from app.services.diarization.voiceprint import VoiceprintEngine
from tests.services.audio.recordings import SHARED, make_decoder

Samples = np.ndarray[Any, Any]
Times = list[tuple[float, float, str]]

AGENT, CALLER = "aws_auto_repairs_49_agent_8k.wav", "aws_auto_repairs_49_caller_8k.wav"
FRAME = SAMPLE_RATE // 100
LEAST_RMS, SHARE_OF_LOUD, CLOSED_FRAMES = 0.008, 0.06, 25


@cache
def engine() -> VoiceprintEngine:
    made = VoiceprintEngine(Settings(_env_file=None))
    made.load()
    return made


@cache
def voice_activity() -> VoiceActivity:
    return VoiceActivity()


def samples_of(file: str, folder: Path) -> Samples:
    """A recording of the shared folder as one signal."""
    folder.mkdir(exist_ok=True)
    return make_decoder().decode(SHARED / file, folder).of_channel(None).read()


def store(samples: Samples, path: Path) -> Audio:
    """Samples in [-1, 1] as decoded audio."""
    np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2").tofile(path)
    return Audio(path, len(samples))


def ask(
    audio: Audio,
    num_speakers: int | None = None,
    words: tuple[Word, ...] = (),
    speech: tuple[Span, ...] | None = None,
) -> tuple[Turn, ...]:
    spans = voice_activity().detect(audio) if speech is None else speech
    layout = ChannelLayout(ChannelKind.MONO, (audio,), ((),))
    return engine().diarize(DiarizationRequest(layout, (spans,), Transcript(words, "en"), num_speakers))


def times_by_energy(sides: dict[str, Samples]) -> Times:
    """Who speaks when, from each side's own energy, by the definition that diarization is judged by."""
    return [(start, end, name) for name, side in sides.items() for start, end in _loud(side)]


def _loud(side: Samples) -> list[tuple[float, float]]:
    frames = side[: len(side) - len(side) % FRAME].reshape(-1, FRAME)
    levels = np.sqrt(np.mean(np.square(frames, dtype=np.float64), axis=1))
    on = np.flatnonzero(levels > max(LEAST_RMS, SHARE_OF_LOUD * np.percentile(levels, 98)))
    parts = np.split(on, np.flatnonzero(np.diff(on) > CLOSED_FRAMES + 1) + 1) if len(on) else []
    return [(part[0] / 100, (part[-1] + 1) / 100) for part in parts]


def speakers_of(turns: tuple[Turn, ...]) -> set[int]:
    return {turn.speaker for turn in turns}
