"""Finished calls with true recordings: bursts of sound where their words are."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from app.db.repositories.call_changes import AT_REST, change
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import ResultRepository
from app.schemas.analysis import AnalysedSegment, Analysis
from app.schemas.call import NewCall
from app.schemas.moment import Moment, moment_id
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


def objections(call_id: str = "CALL-1") -> Analysis:
    """90 s: a buying signal at 10 s (0.9), objections on price at 30 s (0.6) and on trust at 64 s (0.8)."""
    return analysis_of(
        _part(call_id, "well I like it a lot and I mean it", 9.0, 0, "like it", "buying_signal", None, 0.9),
        _part(call_id, "but honestly that is too expensive for us this year", 28.0, 1, "too expensive",
              "objection", "price", 0.6),
        _part(call_id, "we were let down by your people before you know", 63.0, 2, "let down",
              "objection", "trust", 0.8),
    )  # fmt: skip


def _part(
    call_id: str,
    text: str,
    start_s: float,
    index: int,
    evidence: str,
    kind: str,
    subtype: str | None,
    confidence: float,
) -> AnalysedSegment:
    speaker, role = ("speaker_0", "agent") if index == 0 else ("speaker_1", "customer")
    words = spoken(text, start_s, index, speaker)
    segment = Segment(index, speaker, words.words, role)
    found = moment_in(segment, evidence, kind, subtype)
    times = found.evidence.start_s, found.evidence.end_s
    tip = f"Ask about the {subtype or kind}."
    named = {"id": moment_id(call_id, kind, *times), "confidence": confidence, "tip": tip}
    moment = Moment(**{**vars(found), **named})
    return AnalysedSegment(segment, None, (moment,), True, kind)


def store_call(
    services: Services,
    call_id: str,
    recording: Path | bytes,
    analysis: Analysis,
    created_at: datetime | None = None,
    **fields: Any,
) -> None:
    """A finished call whose recording is in the storage. No worker of a running service sees it waiting."""
    content = recording if isinstance(recording, bytes) else recording.read_bytes()
    writer = services.storage.create()
    writer.write(content)
    kept = writer.commit()
    fingerprint = sha256(call_id.encode()).hexdigest()
    new = NewCall(call_id, fingerprint, kept.key, kept.sha256, kept.size, **fields)
    now = created_at or datetime.now(UTC)
    ended = {"status": analysis.status, "duration_s": analysis.duration_s, "percent": 100.0, **AT_REST}
    with services.database.session() as session:
        assert CallRepository(session).insert(new, now)
        ResultRepository(session).add(call_id, analysis, now)
        assert change(session, call_id, completed_at=now, updated_at=now, **ended)
