"""Which segments come after, or before, what other rules found. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from app.schemas.speaker import Role
from app.services.coachable.detectors.base import TimedFinding
from app.services.coachable.sequence import Reference
from app.services.coachable.view import CallView, Mask
from app.services.coachable.words import Characters

_ROUNDING_S = 0.001


@dataclass
class Marks:
    """What a reference speaks of: words that rules found, by position of their segment, and times."""

    in_words: list[tuple[int, Characters]] = field(default_factory=list)
    in_time: list[TimedFinding] = field(default_factory=list)


def after(view: CallView, reference: Reference, marks: Marks, own: Mapping[int, Characters]) -> Mask:
    """Segments that come after one of ``marks``. ``own``: words found in each by the rule that asks."""
    limit_s = _limit_s(reference)
    follows = _near_words(view, reference, marks, lambda marked: _starts_after(view, marked, limit_s))
    for found in marks.in_time:
        near = view.starts_s - found.end_s <= limit_s
        follows |= near & (view.starts_s > found.start_s) & _asking(view, reference, found)
    for position, (_, end) in _in_same_segment(view, reference, marks, own):
        if end <= own[position][0]:
            follows[position] = True
    return follows


def before(view: CallView, reference: Reference, marks: Marks, own: Mapping[int, Characters]) -> Mask:
    """Segments that come before one of ``marks``."""
    limit_s = _limit_s(reference)
    precedes = _near_words(view, reference, marks, lambda marked: _ends_before(view, marked, limit_s))
    for found in marks.in_time:
        near = found.start_s - view.ends_s <= limit_s
        precedes |= near & (view.starts_s < found.start_s) & _asking(view, reference, found)
    for position, (start, _) in _in_same_segment(view, reference, marks, own):
        if start >= own[position][1]:
            precedes[position] = True
    return precedes


def _limit_s(reference: Reference) -> float:
    return np.inf if reference.within_s is None else reference.within_s + _ROUNDING_S


def _near_words(view: CallView, reference: Reference, marks: Marks, near: Callable[[Mask], Mask]) -> Mask:
    marked = view.none
    marked[[position for position, _ in marks.in_words]] = True
    found = view.none
    for asking, counting in _sides(view, reference):
        found |= asking & near(marked & counting)
    return found


def _starts_after(view: CallView, marked: Mask, limit_s: float) -> Mask:
    """Segments that start within ``limit_s`` of the latest end of the ``marked`` ones above them."""
    ends_s = np.where(marked, view.ends_s, -np.inf)
    latest_s = np.concatenate(([-np.inf], np.maximum.accumulate(ends_s)[:-1]))
    return (latest_s > -np.inf) & (view.starts_s - latest_s <= limit_s)


def _ends_before(view: CallView, marked: Mask, limit_s: float) -> Mask:
    """Segments that end within ``limit_s`` of the earliest start of the ``marked`` ones below them."""
    starts_s = np.where(marked, view.starts_s, np.inf)
    earliest_s = np.concatenate((np.minimum.accumulate(starts_s[::-1])[::-1][1:], [np.inf]))
    return (earliest_s < np.inf) & (earliest_s - view.ends_s <= limit_s)


def _sides(view: CallView, reference: Reference) -> Iterator[tuple[Mask, Mask]]:
    """Segments that ask, and those whose marks count for them."""
    everybody = ~view.none
    if reference.by == "anyone":
        yield everybody, everybody
    elif reference.by in ("agent", "customer"):
        yield everybody, view.may_be(reference.by)
    else:
        for speaker in view.speaker_names:
            own = view.spoken_by(speaker)
            yield own, own if reference.by == "same" else ~own


def _asking(view: CallView, reference: Reference, found: TimedFinding) -> Mask:
    """Segments for which ``found`` is spoken by whom ``reference`` means."""
    if reference.by == "anyone":
        return ~view.none
    if found.speaker is None or view.metrics is None:
        return view.none
    if reference.by in ("agent", "customer"):
        meant = view.metrics.role_of(found.speaker) in (reference.by, Role.UNKNOWN)
        return ~view.none if meant else view.none
    own = view.spoken_by(found.speaker)
    return own if reference.by == "same" else ~own


def _in_same_segment(
    view: CallView, reference: Reference, marks: Marks, own: Mapping[int, Characters]
) -> list[tuple[int, Characters]]:
    if reference.by == "other":
        return []
    counting = view.may_be(reference.by)
    return [(position, words) for position, words in marks.in_words if position in own and counting[position]]
