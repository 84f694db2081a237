"""Objections of many calls by kind, and what follows them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from statistics import fmean

from app.schemas.coaching import NOTHING, ObjectionPattern
from app.schemas.figures import ObjectionOutcome


def patterns_of(outcomes: Iterable[ObjectionOutcome]) -> tuple[ObjectionPattern, ...]:
    """One for each subtype, the most frequent first; ties in the order of their names, no subtype last."""
    kinds: dict[str | None, list[ObjectionOutcome]] = {}
    for outcome in outcomes:
        kinds.setdefault(outcome.subtype, []).append(outcome)
    found = (_pattern(subtype, those) for subtype, those in kinds.items())
    return tuple(sorted(found, key=lambda each: (-each.count, each.subtype is None, each.subtype or "")))


def _pattern(subtype: str | None, outcomes: list[ObjectionOutcome]) -> ObjectionPattern:
    first = Counter(outcome.followed_by[0] if outcome.followed_by else NOTHING for outcome in outcomes)
    at_all = Counter(kind for outcome in outcomes for kind in outcome.followed_by)
    judged = [
        (outcome.sentiment_before, outcome.sentiment_after)
        for outcome in outcomes
        if outcome.sentiment_before is not None and outcome.sentiment_after is not None
    ]
    return ObjectionPattern(
        subtype=subtype,
        count=len(outcomes),
        followed_by=_most_first(first),
        followed_at_all=_most_first(at_all),
        judged=len(judged),
        sentiment_before=round(fmean(before for before, _ in judged), 4) if judged else None,
        sentiment_after=round(fmean(after for _, after in judged), 4) if judged else None,
    )


def _most_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
