"""Which segments come after, or before, what other rules found. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.schemas.speaker import Role
from app.services.coachable.detectors.base import TimedFinding
from app.services.coachable.places import Characters
from app.services.coachable.sequence import Reference
from app.services.coachable.view import CallView, Mask

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
    for asking, found in _sides_in_time(view, reference, marks.in_time):
        ends_s = np.maximum.accumulate([-np.inf, *(each.end_s for each in found)])
        latest_s = ends_s[np.searchsorted([each.start_s for each in found], view.starts_s)]
        follows |= asking & (latest_s > -np.inf) & (view.starts_s - latest_s <= limit_s)
    for position, (_, end) in _in_same_segment(view, reference, marks, own):
        if end <= own[position][0]:
            follows[position] = True
    return follows


def before(view: CallView, reference: Reference, marks: Marks, own: Mapping[int, Characters]) -> Mask:
    """Segments that come before one of ``marks``."""
    limit_s = _limit_s(reference)
    precedes = _near_words(view, reference, marks, lambda marked: _ends_before(view, marked, limit_s))
    for asking, found in _sides_in_time(view, reference, marks.in_time):
        starts_s = np.array([*(each.start_s for each in found), np.inf])
        earliest_s = starts_s[np.searchsorted(starts_s[:-1], view.starts_s, side="right")]
        precedes |= asking & (earliest_s < np.inf) & (earliest_s - view.ends_s <= limit_s)
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


def _sides_in_time(
    view: CallView, reference: Reference, found: Sequence[TimedFinding]
) -> Iterator[tuple[Mask, list[TimedFinding]]]:
    """The same for what was found in time, in order of start; what is nobody's is only anyone's."""
    ordered = sorted(found, key=lambda each: each.start_s)
    if reference.by == "anyone":
        yield ~view.none, ordered
    elif reference.by in ("agent", "customer"):
        meant = (reference.by, Role.UNKNOWN)
        yield ~view.none, [each for each in ordered if view.role_of(each.speaker) in meant]
    else:
        for speaker in view.speaker_names:
            spoken = [each for each in ordered if each.speaker is not None]
            same = reference.by == "same"
            yield view.spoken_by(speaker), [each for each in spoken if (each.speaker == speaker) is same]


def _in_same_segment(
    view: CallView, reference: Reference, marks: Marks, own: Mapping[int, Characters]
) -> list[tuple[int, Characters]]:
    if reference.by == "other":
        return []
    counting = view.may_be(reference.by)
    return [(position, words) for position, words in marks.in_words if position in own and counting[position]]
