"""A call in a terminal."""

from __future__ import annotations

from dataclasses import replace

from app.schemas.models import CallResult
from app.schemas.moment import Evidence, Moment
from app.schemas.speaker import Role, Speaker
from app.services.metrics_service import measure
from app.terminal import clock, render_call
from tests.analyses import analysis_of, two_segments


def rendered(result: CallResult, *, colour: bool = False) -> str:
    return render_call(result.model_dump(mode="json"), colour=colour)


def test_a_call_shows_times_words_moments_and_tips() -> None:
    text = rendered(CallResult.of_file("CALL-1", two_segments()))
    assert "CALL-1  completed  01:30  en" in text
    assert "00:00  + speaker_0" in text
    assert "01:05  - speaker_1" in text
    assert "> objection, price (80%): “too expensive”" in text
    assert "Do this next." in text
    assert "2 coachable moments of 2 kinds" in text
    assert "\x1b" not in text


def test_colour_only_adds_escapes() -> None:
    result = CallResult.of_file("CALL-1", two_segments())
    assert "\x1b[33m" in rendered(result, colour=True)


def test_a_silent_recording_says_so() -> None:
    text = rendered(CallResult.of_file("CALL-1", analysis_of()))
    assert "nobody speaks" in text
    assert "no coachable moments" in text


def test_clock() -> None:
    assert [clock(seconds) for seconds in (0, 59.6, 61, 3600)] == ["00:00", "01:00", "01:01", "60:00"]


def test_moments_in_time_show_how_long_they_last_and_the_calls_own_stand_between_segments() -> None:
    analysis = two_segments()
    silence = Moment(
        "m_1", "dead_air", None, 0.9, "rule", "dead_air", "Why.", "Speak.", None, None, "unknown",
        Evidence("", 0, 0, 3.0, 12.5, 0, 0),
    )  # fmt: skip
    lines = rendered(CallResult.of_file("CALL-1", replace(analysis, call_moments=(silence,)))).splitlines()
    at = next(number for number, line in enumerate(lines) if "dead air" in line)
    assert lines[at] == "00:03  > dead air (90%): 9.5 s"
    assert any(line.startswith("00:00") for line in lines[:at])
    assert any(line.startswith("01:05") for line in lines[at:])


def test_how_the_talk_was_shared() -> None:
    analysis = two_segments()
    roles = (Role.AGENT, Role.CUSTOMER)
    speakers = tuple(Speaker(f"speaker_{at}", role) for at, role in enumerate(roles))
    parts = tuple(
        replace(part, segment=replace(part.segment, role=role.value))
        for part, role in zip(analysis.segments, roles, strict=True)
    )
    known = replace(analysis, segments=parts, speakers=speakers)
    text = rendered(CallResult.of_file("CALL-1", replace(known, metrics=measure(known.conversation))))
    # Five words each, half a second a word.
    assert "agent 50% : customer 50% of what is said" in text
    unknown = rendered(
        CallResult.of_file("CALL-1", replace(analysis, metrics=measure(analysis.conversation)))
    )
    assert "of what is said" not in unknown
