"""Pauses between attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from app.services.webhooks.schedule import JITTER, SCHEDULE_S, pause_after, wish_of

NOW = datetime(2026, 2, 21, 9, 30, tzinfo=UTC)


def test_the_schedule_is_that_of_standard_webhooks() -> None:
    hour = 3600
    assert (
        0, 5, 300, 1800, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour,
    ) == SCHEDULE_S  # fmt: skip


def test_each_pause_lies_around_its_place_and_the_last_is_none() -> None:
    for step, pause_s in enumerate(SCHEDULE_S[1:]):
        assert pause_after(step, 0.5) == pytest.approx(pause_s)
        assert pause_after(step, 0) == pytest.approx(pause_s * (1 - JITTER))
        assert pause_after(step, 1) == pytest.approx(pause_s * (1 + JITTER))
    assert pause_after(len(SCHEDULE_S) - 1, 0.5) is None
    assert pause_after(len(SCHEDULE_S) - 1, 0.5, 10) is None


def test_the_receiver_may_ask_for_more_time_up_to_a_day_but_not_for_less() -> None:
    assert pause_after(0, 0.5, 900) == 900
    assert pause_after(3, 0.5, 1) == pytest.approx(7200)
    assert pause_after(0, 0.5, 10**8) == 86_400


@pytest.mark.parametrize(
    ("header", "asked_s"),
    [
        (None, None), ("", None), ("soon", None), ("-5", None), ("1.5", None), ("٣", None),
        ("0", 0), (" 120 ", 120), ("9" * 400, 999_999_999),
        (format_datetime(NOW + timedelta(minutes=3), usegmt=True), 180),
        ("Sat, 21 Feb 2026 09:31:00 -0000", 60),
        ("Sat, 32 Feb 2026 99:31:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date(header: str | None, asked_s: float | None) -> None:
    assert wish_of(header, NOW) == asked_s
