"""Stretches of the calendar, all in UTC. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from app.core.exceptions import ValidationFailed
from app.schemas.coaching import Bucket, Window

SHOWN = {Bucket.DAY: 28, Bucket.WEEK: 13, Bucket.MONTH: 12}
"""How many are looked at where nothing else is asked for."""
MOST_PERIODS = 400


def window_of(date_from: datetime | None, date_to: datetime | None, bucket: Bucket, now: datetime) -> Window:
    """Up to ``date_to`` or now; from ``date_from``, or from the start of the first of ``SHOWN[bucket]``.

    Raises ValidationFailed where it ends before it begins or holds more than ``MOST_PERIODS`` buckets.
    """
    until = date_to or now
    since = date_from
    if since is None:
        since = start_of(bucket, until)
        for _ in range(SHOWN[bucket] - 1):
            since = start_of(bucket, since - timedelta(days=1))
    if since > until:
        raise ValidationFailed.of("date_from", "is after date_to")
    if (until - since).days > MOST_PERIODS * _LEAST_DAYS[bucket]:
        raise ValidationFailed.of("bucket", f"would make more than {MOST_PERIODS} of them: take a longer one")
    return Window(since, until)


_LEAST_DAYS = {Bucket.DAY: 1, Bucket.WEEK: 7, Bucket.MONTH: 28}


def start_of(bucket: Bucket, time: datetime) -> datetime:
    """The start of the bucket that holds ``time``."""
    day = datetime(time.year, time.month, time.day, tzinfo=UTC)
    if bucket is Bucket.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if bucket is Bucket.MONTH else day


def periods(bucket: Bucket, window: Window) -> Iterator[tuple[datetime, datetime]]:
    """Start and end of each bucket that the window touches, in order, without a gap."""
    start, last = start_of(bucket, window.date_from), start_of(bucket, window.date_to)
    while start <= last:
        # From within the next bucket back to its start: months differ in length.
        end = start_of(bucket, start + timedelta(days={"day": 1, "week": 7, "month": 31}[bucket]))
        yield start, end
        start = end
