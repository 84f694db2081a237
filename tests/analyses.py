"""Small analyses for tests."""

from __future__ import annotations

from app.schemas.analysis import AnalysedSegment, Analysis
from app.schemas.moment import Evidence, Moment, moment_id
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.transcript import Segment, Word


def spoken(text: str, start_s: float, index: int = 0, speaker: str = "speaker_0") -> Segment:
    """A segment of ``text``, half a second a word."""
    words = tuple(
        Word(word, start_s + 0.5 * at, start_s + 0.5 * at + 0.4, 0.9) for at, word in enumerate(text.split())
    )
    return Segment(index, speaker, words)


def moment_in(segment: Segment, evidence: str, kind: str, subtype: str | None = None) -> Moment:
    """A moment whose evidence is the words ``evidence`` of ``segment``."""
    start = segment.text.index(evidence)
    first = len(segment.text[:start].split())
    last = first + len(evidence.split()) - 1
    times = segment.words[first].start_s, segment.words[last].end_s
    return Moment(
        id=moment_id("CALL-1", kind, *times),
        type=kind,
        subtype=subtype,
        confidence=0.8,
        source="rule",
        rule=f"{kind}-rule",
        why="A reason.",
        tip="Do this next.",
        segment=segment.index,
        speaker=segment.speaker,
        role=segment.role,
        evidence=Evidence(evidence, start, start + len(evidence), *times, first, last),
    )


def analysis_of(*segments: AnalysedSegment) -> Analysis:
    return Analysis(
        duration_s=90.0,
        language="en",
        language_confidence=0.9,
        segments=segments,
        engines={"stt": "scripted:x"},
        degraded=False,
        playbook="default",
        playbook_revision="r1",
    )


def two_segments() -> Analysis:
    """A buying signal at the start, a price objection 65 s later."""
    first = spoken("I like it a lot", 0.0)
    second = spoken("but that is too expensive", 65.0, 1, "speaker_1")
    signal = moment_in(first, "like it", "buying_signal")
    objection = moment_in(second, "too expensive", "objection", "price")
    good = Sentiment(SentimentLabel.POSITIVE, 0.9, 0.9, 0.05, 0.05)
    bad = Sentiment(SentimentLabel.NEGATIVE, 0.8, 0.1, 0.1, 0.8)
    return analysis_of(
        AnalysedSegment(first, good, (signal,), True, "buying_signal"),
        AnalysedSegment(second, bad, (objection,), True, "objection"),
    )
