"""Days, weeks and months in UTC, and which of them are looked at."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from app.core.exceptions import ValidationFailed
from app.schemas.coaching import Bucket, Window
from app.services.coaching.periods import SHOWN, periods, start_of, window_of

NOW = datetime(2026, 3, 5, 14, 30, tzinfo=UTC)  # a Thursday


def day(month: int, number: int, year: int = 2026) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


@pytest.mark.parametrize(
    ("bucket", "start"), [(Bucket.DAY, day(3, 5)), (Bucket.WEEK, day(3, 2)), (Bucket.MONTH, day(3, 1))]
)
def test_the_start_of_a_bucket_is_in_it_and_the_moment_before_is_not(bucket: Bucket, start: datetime) -> None:
    assert start_of(bucket, NOW) == start
    assert start_of(bucket, start) == start


def test_buckets_follow_one_another_without_a_gap() -> None:
    window = Window(datetime(2025, 12, 30, 23, 59, tzinfo=UTC), day(3, 1))
    assert list(periods(Bucket.MONTH, window)) == [
        (day(12, 1, 2025), day(1, 1)),
        (day(1, 1), day(2, 1)),
        (day(2, 1), day(3, 1)),
        (day(3, 1), day(4, 1)),
    ]
    weeks = list(periods(Bucket.WEEK, window))
    assert weeks[0] == (day(12, 29, 2025), day(1, 5))
    assert weeks[-1] == (day(2, 23), day(3, 2))
    assert all(one[1] == other[0] for one, other in pairwise(weeks))


@pytest.mark.parametrize(
    ("bucket", "since"),
    [(Bucket.DAY, day(2, 6)), (Bucket.WEEK, day(12, 8, 2025)), (Bucket.MONTH, day(4, 1, 2025))],
)
def test_a_window_that_nobody_asks_for_holds_so_many_buckets(bucket: Bucket, since: datetime) -> None:
    window = window_of(None, None, bucket, NOW)
    assert window == Window(since, NOW)
    assert len(list(periods(bucket, window))) == SHOWN[bucket]


def test_a_window_that_ends_before_it_begins_or_is_too_long_is_refused() -> None:
    assert window_of(day(3, 1), day(3, 1), Bucket.DAY, NOW) == Window(day(3, 1), day(3, 1))
    with pytest.raises(ValidationFailed, match="date_from"):
        window_of(day(3, 6), None, Bucket.DAY, NOW)
    with pytest.raises(ValidationFailed, match="bucket"):
        window_of(day(1, 1, 2024), None, Bucket.DAY, NOW)
    assert window_of(day(1, 1, 2024), None, Bucket.WEEK, NOW).date_from == day(1, 1, 2024)
