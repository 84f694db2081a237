"""The transcript of a call as plain text, and as a document of segments and words."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from app.schemas.analysis import Analysis
from app.schemas.call import CallRecord
from app.schemas.transcript import Segment
from app.services.exports.labels import one_line, speaker_labels


def to_txt(analysis: Analysis) -> str:
    """One line a turn, ``[00:12] Agent: …``: what a speaker says until another one does."""
    labels = speaker_labels(analysis.speakers)
    lines = []
    for speaker, turn in groupby(
        (analysed.segment for analysed in analysis.segments), key=lambda segment: segment.speaker
    ):
        said = list(turn)
        text = one_line(" ".join(segment.text for segment in said))
        lines.append(f"[{_clock(said[0].start_s)}] {labels.get(speaker, speaker)}: {text}\n")
    return "".join(lines)


def to_document(record: CallRecord, analysis: Analysis) -> dict[str, Any]:
    """The transcript as plain data for JSON; times in seconds, to the millisecond.

    ``label`` is what people are shown as the speaker's name; ``name`` is the one that somebody gave.
    """
    labels = speaker_labels(analysis.speakers)
    return {
        "call_id": record.call_id,
        "language": analysis.language,
        "duration_seconds": round(analysis.duration_s, 3),
        "speakers": [
            {
                "id": speaker.id,
                "label": labels[speaker.id],
                "name": speaker.name,
                "role": speaker.role.value,
                "role_confidence": round(speaker.role_confidence, 4),
            }
            for speaker in analysis.speakers
        ],
        "segments": [_segment(analysed.segment, labels) for analysed in analysis.segments],
    }


def _segment(segment: Segment, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "speaker": segment.speaker,
        "label": labels.get(segment.speaker, segment.speaker),
        "role": str(segment.role),
        "start_time": round(segment.start_s, 3),
        "end_time": round(segment.end_s, 3),
        "text": segment.text,
        "words": [
            {
                "text": word.text,
                "start_time": round(word.start_s, 3),
                "end_time": round(word.end_s, 3),
                "confidence": None if word.confidence is None else round(word.confidence, 4),
            }
            for word in segment.words
        ],
    }


def _clock(at_s: float) -> str:
    minutes, second = divmod(int(at_s), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute:02d}:{second:02d}"
