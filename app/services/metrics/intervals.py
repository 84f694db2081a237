"""Arithmetic on stretches of time in whole milliseconds, so that sums are exact. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple, Protocol

MS = 1000
_HAIR = 1e-6


class Timed(Protocol):
    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


class Interval(NamedTuple):
    """From ``start`` to ``end``, in milliseconds."""

    start: int
    end: int


def milliseconds(duration_s: float) -> int:
    """The whole milliseconds that have passed by then; a hair under one, as floats have it, is one."""
    return max(0, int(duration_s * MS + _HAIR))


def within(start_s: float, end_s: float, duration: int) -> Interval:
    """The stretch in milliseconds, cut to the recording; one that ends before it starts has no length."""
    start = min(max(round(start_s * MS), 0), duration)
    return Interval(start, min(max(round(end_s * MS), start), duration))


def seconds(milliseconds: int) -> float:
    return milliseconds / MS


def union(intervals: Iterable[Timed]) -> list[Interval]:
    """The same time covered by intervals that neither overlap nor touch, in order; empty ones are lost."""
    merged: list[Interval] = []
    for start, end in sorted((each.start, each.end) for each in intervals):
        if end <= start:
            continue
        if merged and start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, end))
        else:
            merged.append(Interval(start, end))
    return merged


def length(intervals: Iterable[Timed]) -> int:
    """Total length of intervals that do not overlap."""
    return sum(each.end - each.start for each in intervals)


def gaps(covered: Sequence[Interval], duration: int) -> list[Interval]:
    """What ``covered`` (a union) leaves of the time from 0 to ``duration``."""
    edges = [0, *(edge for each in covered for edge in each), duration]
    around = zip(edges[::2], edges[1::2], strict=True)
    return [Interval(start, end) for start, end in around if end > start]


def simultaneous(parties: Sequence[Sequence[Timed]]) -> list[tuple[Interval, tuple[int, ...]]]:
    """Stretches covered by at least two of ``parties``, with the numbers of those that cover them."""
    steps = sorted(
        edge
        for number, covered in enumerate(parties)
        for each in union(covered)
        for edge in ((each.start, number), (each.end, ~number))
    )
    found: list[tuple[Interval, tuple[int, ...]]] = []
    at_once: set[int] = set()
    for (time, step), (following, _) in pairwise(steps):
        if step >= 0:
            at_once.add(step)
        else:
            at_once.discard(~step)
        if len(at_once) > 1 and following > time:
            found.append((Interval(time, following), tuple(sorted(at_once))))
    return found


class Finder:
    """Tells in logarithmic time whether any of some intervals, which may overlap, reaches into a gap."""

    def __init__(self, intervals: Iterable[Timed]) -> None:
        # An interval without length is still somewhere.
        ordered = sorted((each.start, max(each.end, each.start + 1)) for each in intervals)
        self._starts = [start for start, _ in ordered]
        self._reach = list(accumulate((end for _, end in ordered), max))

    def any_in(self, gap: Interval) -> bool:
        before = bisect_left(self._starts, gap.end)
        return before > 0 and self._reach[before - 1] > gap.start
