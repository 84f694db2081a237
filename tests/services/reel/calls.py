"""Finished calls with true recordings: bursts of sound where their words are."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from app.schemas.analysis import AnalysedSegment, Analysis
from app.schemas.call import ALL_QUEUES, NewCall
from app.schemas.moment import Moment
from app.schemas.transcript import Segment
from app.services.bootstrap import Services
from tests.analyses import analysis_of, moment_in, spoken
from tests.services.audio.recordings import convert, write_channels

RATE = 16_000
VBR = ("-c:a", "libmp3lame", "-q:a", "9", "-ar", "22050")


def recording_of(analysis: Analysis, folder: Path, name: str = "call.wav", *options: str) -> Path:
    """Noise like speech for each word, of the speaker's own loudness in a channel of its own."""
    random = np.random.default_rng(1)
    samples = 0.0002 * random.standard_normal((round(analysis.duration_s * RATE), 2))
    for part in analysis.segments:
        channel = int(part.segment.speaker[-1]) % 2
        for word in part.segment.words:
            first, last = round(word.start_s * RATE), round(word.end_s * RATE)
            samples[first:last, channel] += (0.2, 0.05)[channel] * _voice(last - first)
    wav = write_channels(folder / "source.wav", np.clip(samples, -1, 1), RATE)
    return convert(wav, folder / name, *options)


def _voice(count: int) -> np.ndarray[Any, Any]:
    """A buzz of 150 Hz with the levels of speech at higher pitches."""
    time = np.arange(count) / RATE
    return sum(np.sin(2 * np.pi * 150 * order * time + order) / order for order in range(1, 20))


def objections() -> Analysis:
    """90 s: a buying signal at 10 s (0.9), objections on price at 30 s (0.6) and on trust at 60 s (0.8)."""
    return analysis_of(
        _part("well I like it a lot and I mean it", 9.0, 0, "like it", "buying_signal", None, 0.9),
        _part("but honestly that is too expensive for us this year", 28.0, 1, "too expensive",
              "objection", "price", 0.6),
        _part("we were let down by your people before you know", 59.0, 2, "let down", "objection", "trust",
              0.8),
    )  # fmt: skip


def _part(
    text: str, start_s: float, index: int, evidence: str, kind: str, subtype: str | None, confidence: float
) -> AnalysedSegment:
    speaker, role = ("speaker_0", "agent") if index == 0 else ("speaker_1", "customer")
    words = spoken(text, start_s, index, speaker)
    segment = Segment(index, speaker, words.words, role)
    found = moment_in(segment, evidence, kind, subtype)
    moment = Moment(**{**vars(found), "confidence": confidence})
    return AnalysedSegment(segment, None, (moment,), True, kind)


def store_call(
    services: Services, call_id: str, recording: Path | bytes, analysis: Analysis, **fields: Any
) -> None:
    """A finished call whose recording is in the storage."""
    content = recording if isinstance(recording, bytes) else recording.read_bytes()
    writer = services.storage.create()
    writer.write(content)
    kept = writer.commit()
    fingerprint = sha256(call_id.encode()).hexdigest()
    services.calls.accept(NewCall(call_id, fingerprint, kept.key, kept.sha256, kept.size, **fields))
    work = services.work.take(ALL_QUEUES)
    assert work is not None
    assert services.work.complete(work.claim, analysis)


def moments_of(analysis: Analysis) -> Sequence[Moment]:
    return analysis.moments
