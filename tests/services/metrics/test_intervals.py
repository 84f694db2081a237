"""Arithmetic on stretches of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.metrics.intervals import (
    Finder,
    Interval,
    gaps,
    length,
    milliseconds,
    simultaneous,
    union,
    within,
)

INTERVALS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda it: Interval(it[0], sum(it)))
)


def points(intervals: list[Interval]) -> set[int]:
    return {point for start, end in intervals for point in range(start, end)}


@given(INTERVALS)
def test_a_union_covers_the_same_time_once(intervals: list[Interval]) -> None:
    merged = union(intervals)
    assert points(merged) == points(intervals)
    assert length(merged) == len(points(intervals))
    assert points(gaps(merged, 100)) == set(range(100)) - points(intervals)


@given(st.lists(INTERVALS, max_size=4))
def test_simultaneous_is_what_two_or_more_cover(parties: list[list[Interval]]) -> None:
    found = simultaneous(parties)
    covered = [points(intervals) for intervals in parties]
    for (start, end), numbers in found:
        for point in range(start, end):
            assert tuple(number for number, own in enumerate(covered) if point in own) == numbers
    twice = {point for point in range(100) if sum(point in own for own in covered) > 1}
    assert points([interval for interval, _ in found]) == twice
    assert length(interval for interval, _ in found) == len(twice)


@given(INTERVALS, st.integers(0, 60), st.integers(1, 20))
def test_a_finder_finds_what_reaches_into_a_gap(intervals: list[Interval], start: int, size: int) -> None:
    expected = any(each.start < start + size and max(each.end, each.start + 1) > start for each in intervals)
    assert Finder(intervals).any_in(Interval(start, start + size)) is expected


@pytest.mark.parametrize(
    ("duration_s", "expected"), [(0, 0), (1.001, 1001), (0.29, 290), (1.9999, 1999), (-1, 0)]
)
def test_milliseconds_that_have_passed(duration_s: float, expected: int) -> None:
    assert milliseconds(duration_s) == expected


def test_within_cuts_to_the_recording() -> None:
    assert within(-1, 0.5, 1_000) == Interval(0, 500)
    assert within(0.5, 7, 1_000) == Interval(500, 1_000)
    assert within(0.5, 0.2, 1_000) == Interval(500, 500)
    assert within(2, 3, 1_000) == Interval(1_000, 1_000)
