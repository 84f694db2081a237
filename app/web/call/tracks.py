"""A call along its length, drawn without a script: who speaks when, moments, silences, sentiment. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.schemas.analysis import Analysis
from app.schemas.audio import Span
from app.schemas.metrics import NonTalk, PartyMetrics, QuarterSentiment, SentimentCourse
from app.schemas.speaker import Role, Speaker
from app.services.metrics.sentiment import QUARTERS, ScoredSegment
from app.web.call.scale import Scale
from app.web.contexts.call_moments import MomentShown
from app.web.contexts.call_tracks import (
    Bar,
    Curve,
    Lane,
    Level,
    Mark,
    QuarterRow,
    Stretch,
    Tracks,
)
from app.web.formatting import MOST_SCORE

_FINEST = 800
"""Pauses shorter than the length of the call divided by this are not drawn."""
_MOST_BARS = 160
_LEAST_BAR = 0.25
_ROLES = (Role.AGENT, Role.CUSTOMER, Role.UNKNOWN)
_HALF = 46.0
"""Percent of the height that the best score takes."""


def tracks_of(
    analysis: Analysis,
    labels: Mapping[str, str],
    scored: Sequence[ScoredSegment],
    moments: Sequence[MomentShown],
) -> Tracks:
    scale = Scale(analysis.duration_s)
    speakers = sorted(analysis.speakers, key=lambda speaker: (_ROLES.index(speaker.role), speaker.id))
    parties = {party.speaker: party for party in analysis.metrics.parties} if analysis.metrics else {}
    return Tracks(
        duration_s=analysis.duration_s,
        lanes=tuple(_lanes(analysis, speakers, labels, parties, scale)),
        silences=tuple(_silences(analysis, scale)),
        marks=tuple(_mark(moment, scale) for moment in moments),
        ticks=scale.ticks(),
        curves=tuple(
            _curve(speaker, labels, scored, parties.get(speaker.id), analysis, scale) for speaker in speakers
        ),
        quarters=tuple(_quarters(analysis, speakers, labels, parties)),
    )


def _lanes(
    analysis: Analysis,
    speakers: Sequence[Speaker],
    labels: Mapping[str, str],
    parties: Mapping[str, PartyMetrics],
    scale: Scale,
) -> Iterator[Lane]:
    spoken = sum(party.talk_s for party in parties.values())
    for speaker in speakers:
        party = parties.get(speaker.id)
        if party is None:
            speech = [
                Span(one.segment.start_s, one.segment.end_s)
                for one in analysis.segments
                if one.segment.speaker == speaker.id
            ]
        else:
            speech = list(party.speech)
        yield Lane(
            speaker=speaker.id,
            label=labels[speaker.id],
            role=speaker.role,
            share=party.talk_s / spoken if party and spoken else None,
            speech=tuple(scale.stretch(span.start_s, span.end_s) for span in _joined(speech, scale)),
        )


def _joined(spans: Iterable[Span], scale: Scale) -> Iterator[Span]:
    """Without gaps that nobody could see."""
    held: Span | None = None
    for span in sorted(spans, key=lambda one: one.start_s):
        if held is not None and span.start_s - held.end_s < scale.duration_s / _FINEST:
            held = Span(held.start_s, max(held.end_s, span.end_s))
            continue
        if held is not None:
            yield held
        held = span
    if held is not None:
        yield held


def _silences(analysis: Analysis, scale: Scale) -> Iterator[Stretch]:
    silences: Sequence[NonTalk] = analysis.metrics.non_talk if analysis.metrics else ()
    for silence in silences:
        yield scale.stretch(silence.start_s, silence.end_s)


def _mark(moment: MomentShown, scale: Scale) -> Mark:
    return Mark(
        moment.id, moment.kind, moment.subtype, moment.is_timed, scale.place(moment.start_s), moment.start_s
    )


def _curve(
    speaker: Speaker,
    labels: Mapping[str, str],
    scored: Sequence[ScoredSegment],
    party: PartyMetrics | None,
    analysis: Analysis,
    scale: Scale,
) -> Curve:
    spans = {one.segment.index: (one.segment.start_s, one.segment.end_s) for one in analysis.segments}
    own = [(*spans[one.index], one.score, one.words) for one in scored if one.speaker == speaker.id]
    return Curve(
        label=labels[speaker.id],
        role=speaker.role,
        bars=tuple(_bar(*bar, scale) for bar in (_binned(own, scale) if len(own) > _MOST_BARS else own)),
        quarters=tuple(_levels(party.sentiment.quarters)) if party else (),
    )


def _binned(
    scores: Sequence[tuple[float, float, float, int]], scale: Scale
) -> Iterator[tuple[float, float, float, int]]:
    """Means over equal parts of the call, weighted by words."""
    step_s = scale.duration_s / _MOST_BARS
    parts: dict[int, list[tuple[float, int]]] = {}
    for start_s, end_s, score, words in scores:
        parts.setdefault(int((start_s + end_s) / 2 / step_s), []).append((score, words))
    for part, found in sorted(parts.items()):
        words = sum(count for _, count in found)
        if words:
            mean = sum(score * count for score, count in found) / words
            yield part * step_s, (part + 1) * step_s, mean, words


def _bar(start_s: float, end_s: float, score: float, _words: int, scale: Scale) -> Bar:
    stretch = scale.stretch(start_s, end_s)
    height = max(abs(score) / MOST_SCORE * _HALF, 1.0)
    return Bar(
        x=stretch.x,
        width=max(stretch.width, _LEAST_BAR),
        y=round(50 - height if score > 0 else 50.0, 2),
        height=round(height, 2),
    )


def _levels(quarters: Sequence[QuarterSentiment]) -> Iterator[Level]:
    width = 100 / QUARTERS
    for number, quarter in enumerate(quarters):
        if quarter.score is not None:
            yield Level(
                number * width, (number + 1) * width, round(50 - quarter.score / MOST_SCORE * _HALF, 2)
            )


def _quarters(
    analysis: Analysis,
    speakers: Sequence[Speaker],
    labels: Mapping[str, str],
    parties: Mapping[str, PartyMetrics],
) -> Iterator[QuarterRow]:
    for speaker in speakers:
        if speaker.id in parties:
            yield _row(labels[speaker.id], parties[speaker.id].sentiment)
    if analysis.metrics:
        yield _row("Whole call", analysis.metrics.sentiment)


def _row(label: str, course: SentimentCourse) -> QuarterRow:
    return QuarterRow(label, tuple(quarter.score for quarter in course.quarters), course.score, course.shift)
