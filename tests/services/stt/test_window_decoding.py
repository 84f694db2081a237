"""Tokens cut into segments at their times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.stt.window_decoding import cut_at_times

ZERO = 1000


def at(seconds: float) -> int:
    return ZERO + round(seconds / 0.02)


def test_a_time_at_the_end_says_that_all_is_said() -> None:
    assert cut_at_times([at(0.5), 1, 2, at(2.0)], ZERO, 30.0) == (
        [(0.0, 2.0, [at(0.5), 1, 2, at(2.0)])],
        True,
    )


def test_pairs_of_times_part_segments() -> None:
    tokens = [at(0.0), 1, at(1.0), at(1.5), 2, 3, at(3.0)]
    assert cut_at_times(tokens, ZERO, 30.0) == (
        [(0.0, 1.0, tokens[:3]), (1.5, 3.0, tokens[3:])],
        True,
    )


def test_what_follows_the_last_pair_without_an_end_is_heard_again() -> None:
    tokens = [at(0.0), 1, at(1.0), at(1.5), 2, 3]
    assert cut_at_times(tokens, ZERO, 30.0) == ([(0.0, 1.0, tokens[:3])], False)


def test_without_any_time_the_segment_is_as_long_as_the_samples() -> None:
    assert cut_at_times([1, 2], ZERO, 12.5) == ([(0.0, 12.5, [1, 2])], False)
    assert cut_at_times([at(0.0), 1], ZERO, 12.5) == ([(0.0, 12.5, [at(0.0), 1])], False)


@given(st.lists(st.integers(0, ZERO + 1500), max_size=30))
def test_segments_are_a_beginning_of_the_tokens(tokens: list[int]) -> None:
    pieces, is_finished = cut_at_times(tokens, ZERO, 30.0)
    joined = [token for _, _, part in pieces for token in part]
    assert joined == tokens[: len(joined)]
    assert len(joined) == len(tokens) or not is_finished
    for start_s, end_s, part in pieces:
        assert part or not tokens
        assert start_s >= 0.0
        assert end_s == pytest.approx(30.0) or 0.0 <= end_s < 30.01
