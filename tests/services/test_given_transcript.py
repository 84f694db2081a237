"""A transcript that somebody brings: its words, its times, who says them."""

from __future__ import annotations

import pytest

from app.core.exceptions import ValidationFailed
from app.schemas.heard import Told
from app.schemas.speaker import Role, RoleSource, Speaker
from app.schemas.transcript import join_words
from app.services.given_transcript import USUAL_WORD_S, GivenSegment, heard_of


def told_of(*given: GivenSegment) -> Told:
    told = heard_of(given, "en").told
    assert told is not None
    return told


def test_words_share_the_time_of_their_segment() -> None:
    heard = heard_of([GivenSegment("oh  my\nday", "A", start_s=2.0, end_s=4.0)], "en", duration_s=3.0)
    assert heard.told is not None and heard.told.is_timed
    (segment,) = heard.told.segments
    assert (segment.text, segment.start_s, segment.end_s) == ("oh my day", 2.0, 4.0)
    assert [word.text for word in segment.words] == ["oh", "my", "day"]
    assert all(word.estimated and word.confidence is None for word in segment.words)
    assert [round(word.start_s, 3) for word in segment.words] == [2.0, 2.571, 3.143]
    assert (heard.duration_s, join_words(heard.transcript.words)) == (4.0, "oh my day")
    assert heard_of([GivenSegment("hi", start_s=0.0, end_s=1.0)], "en", duration_s=9.5).duration_s == 9.5


def test_without_times_the_order_stands_in_for_them() -> None:
    told = told_of(GivenSegment("one two three"), GivenSegment("four"))
    assert not told.is_timed
    first, second = told.segments
    assert (first.start_s, first.end_s) == (0.0, pytest.approx(3 * USUAL_WORD_S))
    assert (second.start_s, second.end_s) == (first.end_s, pytest.approx(4 * USUAL_WORD_S))


def test_roles_that_are_given_hold_for_all_that_the_speaker_says() -> None:
    told = told_of(
        GivenSegment("hi", "A"),
        GivenSegment("hello", "B", Role.CUSTOMER),
        GivenSegment("well", "A", Role.AGENT),
    )
    assert told.speakers == (
        Speaker("A", Role.AGENT, 1.0, RoleSource.METADATA),
        Speaker("B", Role.CUSTOMER, 1.0, RoleSource.METADATA),
    )
    assert [segment.role for segment in told.segments] == ["agent", "customer", "agent"]


def test_where_some_have_a_role_the_others_have_none() -> None:
    told = told_of(GivenSegment("hi", "A", Role.AGENT), GivenSegment("hello", "B"))
    assert told.speakers is not None
    assert told.speakers[1] == Speaker("B")


def test_where_nobody_has_a_role_they_are_to_be_found() -> None:
    told = told_of(GivenSegment("hi", "A"), GivenSegment("hello", "B"))
    assert told.speakers is None
    assert [segment.role for segment in told.segments] == ["unknown", "unknown"]


def test_who_is_not_named_is_told_apart_by_role() -> None:
    told = told_of(
        GivenSegment("hi", role=Role.AGENT), GivenSegment("hello", role=Role.CUSTOMER), GivenSegment("eh")
    )
    assert [segment.speaker for segment in told.segments] == ["agent", "customer", "speaker_0"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ([GivenSegment("a", start_s=1.0)], "segments.0.end_time"),
        ([GivenSegment("a", end_s=1.0)], "segments.0.start_time"),
        ([GivenSegment("a", start_s=1.0, end_s=2.0), GivenSegment("b")], "segments.1.start_time"),
        ([GivenSegment("a"), GivenSegment("b", start_s=1.0, end_s=2.0)], "segments.0.start_time"),
        ([GivenSegment("a", start_s=2.0, end_s=1.0)], "segments.0.end_time"),
        (
            [GivenSegment("a", start_s=2.0, end_s=3.0), GivenSegment("b", start_s=1.0, end_s=4.0)],
            "segments.1.start_time",
        ),
        (
            [GivenSegment("a", "A", Role.AGENT), GivenSegment("b", "A", Role.CUSTOMER)],
            "segments.1.role",
        ),
    ],
)
def test_what_cannot_be_is_named(given: list[GivenSegment], field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        heard_of(given, "en")
    assert [error["field"] for error in refused.value.errors] == [field]


def test_segments_may_overlap() -> None:
    told = told_of(
        GivenSegment("a", "A", start_s=1.0, end_s=9.0), GivenSegment("b", "B", start_s=2.0, end_s=3.0)
    )
    assert [segment.end_s for segment in told.segments] == [9.0, 3.0]
