"""Segments put together with the feelings and the moments that were found in them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from app.schemas.analysis import AnalysedSegment
from app.schemas.conversation import Conversation
from app.schemas.moment import Moment

Judge = Callable[[Sequence[Moment]], tuple[bool, str | None]]
"""Whether the moments of one segment make it coachable, and by which type."""


def annotate(
    conversation: Conversation, moments: Iterable[Moment], judge: Judge
) -> tuple[tuple[AnalysedSegment, ...], tuple[Moment, ...]]:
    """The segments with what was found in each, surest first, and the moments that belong to none."""
    by_segment: dict[int | None, list[Moment]] = {}
    for moment in moments:
        by_segment.setdefault(moment.segment, []).append(moment)
    analysed = []
    readings = conversation.readings or (None,) * len(conversation.segments)
    parts = zip(conversation.segments, conversation.sentiments, readings, strict=True)
    for segment, sentiment, reading in parts:
        here = tuple(sorted(by_segment.get(segment.index, ()), key=lambda moment: -moment.confidence))
        analysed.append(AnalysedSegment(segment, sentiment, here, *judge(here), reading=reading))
    return tuple(analysed), tuple(by_segment.get(None, ()))
