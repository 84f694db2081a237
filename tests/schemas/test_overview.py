"""What a list shows of a result: the course of its feeling in few numbers."""

from __future__ import annotations

import math

import pytest

from app.schemas.overview import CURVE_PARTS, Overview, curve_of
from bench.stored_calls import TenMinuteCalls
from tests.db.values import analysis


def test_a_part_is_the_mean_over_the_time_in_which_somebody_was_judged() -> None:
    judged = [(0.0, 10.0, 5.0), (10.0, 20.0, -5.0), (20.0, 50.0, 1.0), (60.0, 70.0, 0.5)]
    assert curve_of(80.0, judged) == (0.0, 1.0, 1.0, 0.5)
    assert curve_of(70.0, judged) == (0.71, 0.14, 1.0, 0.5)


def test_where_nobody_was_judged_there_is_no_number() -> None:
    assert curve_of(100.0, [(0.0, 10.0, 2.0), (80.0, 90.0, 3.0), (90.0, 99.0, 3.0)]) == (2.0, None, 3.0)
    assert curve_of(100.0, []) == ()


@pytest.mark.parametrize("duration_s", [0.0, -1.0, math.inf, math.nan])
def test_a_call_without_length_has_no_curve(duration_s: float) -> None:
    assert curve_of(duration_s, [(0.0, 1.0, 2.0)]) == ()


def test_a_long_call_has_a_bounded_curve_and_the_metrics_quarters() -> None:
    made = TenMinuteCalls().make(1)
    overview = Overview.of(made)
    assert made.metrics is not None
    assert overview.share_of_speech == made.metrics.share_of_speech
    assert (overview.sentiment_score, overview.sentiment_shift) == (
        made.metrics.sentiment.score,
        made.metrics.sentiment.shift,
    )
    assert overview.quarters == tuple(quarter.score for quarter in made.metrics.sentiment.quarters)
    assert len(overview.curve) == CURVE_PARTS
    assert all(part is not None and -5 <= part <= 5 for part in overview.curve)


def test_without_metrics_the_curve_is_left() -> None:
    assert Overview.of(analysis()) == Overview(curve=(-3.0, None))
