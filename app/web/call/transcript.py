"""The words of a call for its page: each with its time, evidence of moments marked among them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from app.schemas.analysis import AnalysedSegment
from app.schemas.correction import CorrectText
from app.schemas.moment import Moment, MomentType
from app.schemas.sentiment import SentimentLabel
from app.schemas.transcript import Segment, Word
from app.web.contexts.call_transcript import LostCorrection, Run, SegmentShown

_IN_WORDS = frozenset(MomentType)


def hundredths(seconds: float) -> int:
    return round(seconds * 100)


def segments_shown(
    segments: Sequence[AnalysedSegment],
    before: str | None,
    labels: Mapping[str, str],
    scores: Mapping[int, float],
    corrections: Sequence[CorrectText],
) -> tuple[SegmentShown, ...]:
    """``before``: who spoke before them. ``scores``: sentiment in [-5, 5] by the index of a segment that
    was judged."""
    heard = {made.segment: made.heard for made in corrections if made.segment is not None}
    shown = []
    for analysed in segments:
        speaker, index = analysed.segment.speaker, analysed.segment.index
        label = labels.get(speaker, speaker)
        shown.append(_shown(analysed, label, scores.get(index), heard.get(index), speaker != before))
        before = speaker
    return tuple(shown)


def lost_corrections(corrections: Sequence[CorrectText]) -> tuple[LostCorrection, ...]:
    return tuple(
        LostCorrection(made.id, made.heard, made.text, made.start_s)
        for made in corrections
        if made.segment is None
    )


def _shown(
    analysed: AnalysedSegment, label: str, score: float | None, heard: str | None, says_who: bool
) -> SegmentShown:
    segment, sentiment = analysed.segment, analysed.sentiment
    is_neutral = score is None or sentiment is None or sentiment.label is SentimentLabel.NEUTRAL
    return SegmentShown(
        index=segment.index,
        speaker=segment.speaker,
        label=label,
        role=segment.role,
        says_who=says_who,
        start_s=segment.start_s,
        start_cs=hundredths(segment.start_s),
        end_cs=hundredths(segment.end_s),
        feeling=None if is_neutral or sentiment is None else sentiment.label.value.lower(),
        feeling_score=None if score is None else round(score, 1),
        is_corrected=heard is not None,
        heard=heard,
        words=_places(segment),
        runs=tuple(_runs(segment, analysed.moments)),
    )


def _runs(segment: Segment, moments: Sequence[Moment]) -> Iterator[Run]:
    marked = sorted(
        (moment for moment in moments if moment.type in _IN_WORDS and moment.evidence.text),
        key=lambda moment: -moment.confidence,
    )
    if not marked:
        yield Run(_joined(segment.words), False, None, None)
        return
    held = [
        tuple(one for one in marked if one.evidence.first_word <= place <= one.evidence.last_word)
        for place in range(len(segment.words))
    ]
    for found, places in groupby(range(len(held)), key=held.__getitem__):
        first, *rest = places
        words = segment.words[first : first + 1 + len(rest)]
        kind = found[0].type if found else None
        has_space = first > 0 and words[0].space_before
        yield Run(_joined(words), has_space, kind, " ".join(one.id for one in found) or None)


def _joined(words: Sequence[Word]) -> str:
    """Each word without blanks of its own, so that ``_places`` fits."""
    text = "".join(f" {word.text.strip()}" if word.space_before else word.text.strip() for word in words)
    return text.removeprefix(" ")


def _places(segment: Segment) -> str:
    start_cs = hundredths(segment.start_s)
    return " ".join(
        f"{hundredths(word.start_s) - start_cs}.{_length(word.text.strip())}" for word in segment.words
    )


def _length(text: str) -> int:
    """In UTF-16 units, as scripts count."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
