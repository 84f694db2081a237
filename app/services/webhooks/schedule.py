"""When a message that was not taken is sent again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SCHEDULE_S = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each attempt, counted from the one before: three days in all (Standard Webhooks 1.0)."""
JITTER = 0.1
"""Share by which a pause may be longer or shorter, so that what failed together does not come together."""
LONGEST_PAUSE_S = 86_400.0


def pause_after(step: int, luck: float, asked_s: float | None = None) -> float | None:
    """Seconds from the attempt at place ``step`` (0 is the first) to the next; None after the last.

    ``luck`` is a random number from 0 to 1. ``asked_s``, the receiver's own wish, makes the pause longer,
    up to a day, and never shorter.
    """
    if step + 1 >= len(SCHEDULE_S):
        return None
    pause_s = SCHEDULE_S[step + 1] * (1 + JITTER * (2 * luck - 1))
    return pause_s if asked_s is None else max(pause_s, min(asked_s, LONGEST_PAUSE_S))


def wish_of(retry_after: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for (a number or a date); None where it says nothing."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
