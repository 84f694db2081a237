"""Corrected roles and the readings that were made for others."""

from __future__ import annotations

from dataclasses import replace

from app.schemas.moment import MomentType
from app.schemas.reading import Reading
from app.services.edited_analysis import stale_readings
from tests.analyses import spoken

SAID = replace(spoken("that is too expensive", 0.0), role="customer")
READING = Reading("r1", "customer", {kind.value: 0.1 for kind in MomentType}, {})


def test_readings_for_the_roles_that_speakers_have_are_not_spoken_of() -> None:
    assert stale_readings((SAID,), (READING,)) == ()
    assert stale_readings((SAID,), (None,)) == ()


def test_readings_for_other_roles_are_told_to_count_no_more() -> None:
    [notice] = stale_readings((SAID, replace(SAID, role="agent")), (READING, READING))
    assert (notice.stage, notice.code) == ("reading", "roles_corrected")
    assert "rules alone" in notice.message
