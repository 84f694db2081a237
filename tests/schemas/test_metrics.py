"""What metrics answer about their parties."""

from __future__ import annotations

import pytest

from app.schemas.speaker import Role
from app.services.metrics_service import measure
from tests.services.metrics.factories import AGENT, Line, conversation, plain

METRICS = measure(
    conversation(
        Line(AGENT, 1, 3, plain(4)), Line(AGENT, 5, 6, plain(2)), Line(AGENT, 8, 9, plain(2)), duration_s=9
    )
)


@pytest.mark.parametrize(
    ("start_s", "end_s", "talk_s"),
    [(0, 9, 4.0), (2, 5.5, 1.5), (3, 5, 0.0), (1, 3, 2.0), (2.2, 2.5, 0.3), (9, 9, 0.0), (6, 8.001, 0.001)],
)
def test_talk_within_a_stretch(start_s: float, end_s: float, talk_s: float) -> None:
    assert METRICS.parties[0].talk_within_s(start_s, end_s) == talk_s


def test_who_is_no_party_has_no_role() -> None:
    assert (METRICS.role_of(AGENT), METRICS.role_of("speaker_9")) == (Role.AGENT, Role.UNKNOWN)
