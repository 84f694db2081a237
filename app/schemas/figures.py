"""What is kept of each call beside its analysis, so that thousands can be put together without their words.

Every figure follows from the stored analysis alone: from its metrics (``app.schemas.metrics`` says how these
are made), its moments, and the sentiment of its segments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.schemas.analysis import AnalysedSegment, Analysis
from app.schemas.metrics import Metrics
from app.schemas.moment import Moment, MomentType
from app.schemas.speaker import Role

FOLLOWS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class ObjectionOutcome:
    """One objection, and what came of it.

    ``followed_by``: the types of the moments, whosever, that start at or after the objection's end and at
    most ``FOLLOWS_WITHIN_S`` seconds after it, in order of time, each once; empty where none does.

    ``sentiment_before`` and ``sentiment_after``: mean of 5 × (P(positive) − P(negative)), in [-5, 5],
    weighted by words, over the customers' judged segments whose midpoint lies in the ``FOLLOWS_WITHIN_S``
    seconds before the objection's start, or after its end; its own segment is in neither. None where
    there is none.
    """

    subtype: str | None
    followed_by: tuple[str, ...] = ()
    sentiment_before: float | None = None
    sentiment_after: float | None = None


@dataclass(frozen=True, slots=True)
class _Felt:
    """How the customer felt in a segment, at the middle of it."""

    segment: int
    middle_s: float
    score: float
    words: int


@dataclass(frozen=True, slots=True)
class CallFigures:
    """One call in numbers, as coaches compare them. Those before ``moments`` are None without metrics.

    ``share_of_speech``: agent / (agent + customer), in [0, 1]. ``patience_s``: the median of the agent's
    waits after the customer, in seconds. ``longest_monologue_s``: the agent's longest turn.
    ``agent_interruptions`` and ``customer_interruptions``: how often each interrupts.
    ``sentiment_shift``: the customers' sentiment, weighted by words, in the last quarter of the call − in the
    first, in [-10, 10]. ``moments``: how many there are of each type.
    """

    share_of_speech: float | None
    patience_s: float | None
    longest_monologue_s: float | None
    agent_interruptions: int | None
    customer_interruptions: int | None
    sentiment_shift: float | None
    moments: dict[str, int]
    objections: tuple[ObjectionOutcome, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasuredCall:
    """A call with its figures. ``held_at``: when it began, where that is known, else when it was taken in."""

    call_id: str
    agent_id: str | None
    team_id: str | None
    held_at: datetime
    figures: CallFigures


def figures_of(analysis: Analysis) -> CallFigures:
    metrics, moments = analysis.metrics, analysis.moments
    felt = tuple(_felt(analysis.segments))
    patience = metrics.patience if metrics else None
    monologue = metrics.longest_monologue if metrics else None
    return CallFigures(
        share_of_speech=metrics.share_of_speech if metrics else None,
        patience_s=patience.median_s if patience else None,
        longest_monologue_s=round(monologue.end_s - monologue.start_s, 3) if monologue else None,
        agent_interruptions=_interruptions(metrics, Role.AGENT),
        customer_interruptions=_interruptions(metrics, Role.CUSTOMER),
        sentiment_shift=_shift(metrics),
        moments=dict(sorted(Counter(moment.type for moment in moments).items())),
        objections=tuple(
            _outcome(moment, moments, felt) for moment in moments if moment.type == MomentType.OBJECTION
        ),
    )


def _interruptions(metrics: Metrics | None, role: Role) -> int | None:
    if metrics is None:
        return None
    of_role = {party.speaker for party in metrics.parties if party.role is role}
    return sum(each.kind == "interruption" and each.speaker in of_role for each in metrics.interruptions)


def _shift(metrics: Metrics | None) -> float | None:
    customers = [party for party in metrics.parties if party.role is Role.CUSTOMER] if metrics else []
    first, last = (
        _mean(
            (judged.score, judged.words)
            for judged in (party.sentiment.quarters[quarter] for party in customers)
            if judged.score is not None
        )
        for quarter in (0, -1)
    )
    return None if first is None or last is None else round(last - first, 4)


def _felt(segments: Iterable[AnalysedSegment]) -> Iterator[_Felt]:
    for part in segments:
        score = _score(part) if part.segment.role == Role.CUSTOMER else None
        if score is not None:
            middle_s = (part.segment.start_s + part.segment.end_s) / 2
            yield _Felt(part.segment.index, middle_s, score, len(part.segment.words))


def _outcome(objection: Moment, moments: Sequence[Moment], felt: Sequence[_Felt]) -> ObjectionOutcome:
    start_s, end_s = objection.evidence.start_s, objection.evidence.end_s
    until_s = end_s + FOLLOWS_WITHIN_S
    following = [moment.type for moment in moments if end_s <= moment.evidence.start_s <= until_s]
    judged = [
        (one.middle_s, one.score, one.words)
        for one in felt
        if one.segment != objection.segment and start_s - FOLLOWS_WITHIN_S <= one.middle_s <= until_s
    ]
    return ObjectionOutcome(
        subtype=objection.subtype,
        followed_by=tuple(dict.fromkeys(following)),
        sentiment_before=_mean(
            (score, words) for at_s, score, words in judged if start_s - FOLLOWS_WITHIN_S <= at_s < start_s
        ),
        sentiment_after=_mean((score, words) for at_s, score, words in judged if end_s < at_s <= until_s),
    )


def _score(part: AnalysedSegment) -> float | None:
    feeling = part.sentiment
    return feeling.balance if feeling and feeling.is_judged else None


def _mean(weighted: Iterable[tuple[float, int]]) -> float | None:
    """Of values with their weights, to four places; None where nothing has weight."""
    values = list(weighted)
    weight = sum(words for _, words in values)
    return round(sum(score * words for score, words in values) / weight, 4) if weight else None
