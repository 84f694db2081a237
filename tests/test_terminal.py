"""A call in a terminal."""

from __future__ import annotations

from app.schemas.models import CallResult
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
