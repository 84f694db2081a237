"""Corrected analyses: what of them still holds, and corrected roles whose readings were made for others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from app.schemas.correction import CorrectText
from app.schemas.moment import MomentType
from app.schemas.reading import Reading
from app.schemas.speaker import Speaker
from app.services.coachable_service import CoachableService
from app.services.edited_analysis import concluded, drafted, left_as_judged, stale_readings
from tests.analyses import spoken, two_segments
from tests.db.databases import settings_for

SAID = replace(spoken("that is too expensive", 0.0), role="customer")
READING = Reading("r1", "customer", {kind.value: 0.1 for kind in MomentType}, {})


def test_readings_for_the_roles_that_speakers_have_are_not_spoken_of() -> None:
    assert stale_readings((SAID,), (READING,)) == ()
    assert stale_readings((SAID,), (None,)) == ()


def test_readings_for_other_roles_are_told_to_count_no_more() -> None:
    [notice] = stale_readings((SAID, replace(SAID, role="agent")), (READING, READING))
    assert (notice.stage, notice.code) == ("reading", "roles_corrected")
    assert "rules alone" in notice.message


FOUND = replace(two_segments(), speakers=(Speaker("speaker_0"), Speaker("speaker_1")))


def corrected(at: int, text: str) -> CorrectText:
    return CorrectText(f"t_{at}", at, text, "", 0.0, 1.0, None, datetime(2026, 2, 21, tzinfo=UTC))


def test_what_says_the_same_after_the_same_words_is_not_judged_again() -> None:
    found = FOUND
    assert drafted(found, (), found).unjudged == ()
    assert drafted(found, (corrected(1, "that is dear"),), found).unjudged == (1,)
    draft = drafted(found, (corrected(0, "I love it"),), found)
    assert draft.unjudged == (0, 1)
    assert draft.conversation.sentiments == (None, None)


def test_what_was_judged_under_an_earlier_correction_is_not_judged_again() -> None:
    found = FOUND
    first = (corrected(1, "that is dear"),)
    coachable = CoachableService(settings_for("sqlite://"))
    draft = drafted(found, first, found)
    judged = left_as_judged(draft, found)
    earlier = concluded("A", found, draft, judged, coachable.default, coachable)
    assert drafted(found, first, earlier).unjudged == ()
    assert drafted(found, (), earlier).unjudged == ()
    elsewhere = replace(earlier, engines={"sentiment": "another"})
    assert drafted(found, (), elsewhere).unjudged == (1,)


def test_a_stage_that_failed_is_not_tried_again() -> None:
    found = replace(FOUND, failed_stages=("metrics", "moments"))
    coachable = CoachableService(settings_for("sqlite://"))
    draft = drafted(found, (corrected(1, "it is too expensive"),), found)
    after = concluded("A", found, draft, left_as_judged(draft, found), coachable.default, coachable)
    assert (after.metrics, after.moments) == (None, ())
    assert after.segments[1].segment.text == "it is too expensive"
