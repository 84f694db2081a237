"""A long call's page comes with the beginning of what was said and found, so that it opens soon. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from app.schemas.analysis import AnalysedSegment, Analysis
from app.web.contexts.call import Rest
from app.web.contexts.call_moments import MomentShown

MOST_AT_ONCE = 400
"""Segments of a call that comes whole: some half an hour of talk."""
BEGINNING = 100
"""Segments that come with the page of a longer one: several screens of them."""


def rest_of(analysis: Analysis, moments: Sequence[MomentShown]) -> Rest | None:
    """What comes after the beginning; None of a call that comes whole."""
    if len(analysis.segments) <= MOST_AT_ONCE:
        return None
    first = analysis.segments[BEGINNING].segment
    return Rest(
        segment=first.index,
        start_s=first.start_s,
        segments=len(analysis.segments) - BEGINNING,
        moments=sum(moment.start_s >= first.start_s for moment in moments),
    )


def comes_later(segment: int | None) -> bool:
    """Whether a long call's page comes without this segment, or may come without what names no segment."""
    return segment is None or segment >= BEGINNING


def divided(
    segments: Sequence[AnalysedSegment], segment: int
) -> tuple[Sequence[AnalysedSegment], Sequence[AnalysedSegment]]:
    """The segments before the one with this index, and those from it on."""
    place = bisect_left(segments, segment, key=lambda part: part.segment.index)
    return segments[:place], segments[place:]
