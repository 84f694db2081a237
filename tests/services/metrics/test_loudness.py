"""Loudness of a party in its own seconds of speech."""

from __future__ import annotations

from app.schemas.metrics import Loudness
from app.services.metrics_service import measure
from tests.services.metrics.factories import AGENT, CUSTOMER, Line, conversation, plain


def levels(*loudness: tuple[float, ...], separate: bool, agent_s: float = 3.0) -> list[Loudness | None]:
    lines = (Line(AGENT, 0, agent_s, plain(6)), Line(CUSTOMER, 2.5, 5.4, plain(6)))
    call = conversation(*lines, duration_s=6, loudness=loudness, separate_channels=separate)
    return [party.loudness for party in measure(call).parties]


def test_each_channel_against_its_own_median() -> None:
    agent, customer = levels(
        (-20.0, -26.0, -23.0, -50.0), (-60, -60, -30.0, -31.0, -40.0, -50), separate=True
    )
    assert agent == Loudness(-23.0, (0, 1, 2), (3.0, -3.0, 0.0))
    # The sixth second is spoken in for 0.4 s only.
    assert customer == Loudness(-31.0, (2, 3, 4), (1.0, 0.0, -9.0))


def test_in_one_signal_the_seconds_of_both_belong_to_nobody() -> None:
    agent, customer = levels((-20.0, -26.0, -10.0, -30.0, -32.0), separate=False)
    assert agent == Loudness(-23.0, (0, 1), (3.0, -3.0))
    assert customer == Loudness(-31.0, (3, 4), (1.0, -1.0))


def test_silence_and_missing_levels_tell_nothing() -> None:
    assert levels(separate=True) == [None, None]
    assert levels((-100.0,) * 6, separate=True) == [None, None]
    assert levels((-20.0,), separate=True) == [Loudness(-20.0, (0,), (0.0,)), None]
