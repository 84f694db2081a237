"""Clips begin and end with whole words, whoever said them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.schemas.analysis import AnalysedSegment, Analysis
from app.schemas.audio import Span
from app.schemas.moment import Moment
from app.schemas.transcript import Segment, Word
from app.services.reel.edges import MARGIN_S, MOST_OVERRUN_S, Reach, clip_span
from tests.analyses import analysis_of, moment_in, spoken

NONE = Reach(0.0, 0.0)


def call_of(*segments: Segment) -> Analysis:
    return analysis_of(*(AnalysedSegment(segment, None, (), True, None) for segment in segments))


def at(start_s: float, end_s: float) -> Moment:
    """A moment found in time."""
    moment = moment_in(spoken("a b", 0.0), "a", "dead_air")
    return replace(moment, evidence=replace(moment.evidence, start_s=start_s, end_s=end_s))


def borders(analysis: Analysis) -> tuple[list[float], list[float]]:
    words = [word for part in analysis.segments for word in part.segment.words]
    return [word.start_s for word in words], [word.end_s for word in words]


def test_a_clip_has_the_words_around_its_moment_whole() -> None:
    segment = spoken("well I think that is too expensive for us right now", 10.0)
    analysis = call_of(segment)
    moment = moment_in(segment, "too expensive", "objection")  # 12.5 to 13.4

    span = clip_span(analysis, moment)

    # 1.5 s before: from "think" at 11.0; 1 s after: up to "us", said by 14.4.
    assert span.start_s == pytest.approx(11.0 - 0.05)
    assert span.end_s == pytest.approx(14.4 + 0.05)


def test_without_a_lead_it_is_the_words_of_the_moment() -> None:
    segment = spoken("well that is too expensive for us", 10.0)

    span = clip_span(call_of(segment), moment_in(segment, "too expensive", "objection"), NONE)

    assert span == Span(pytest.approx(11.5 - 0.05), pytest.approx(12.4 + 0.05))


def test_a_word_of_the_other_party_is_not_cut_either() -> None:
    words = spoken("too expensive", 11.5)
    over = Segment(1, "speaker_1", (Word("hmmmmm", 10.9, 11.8), Word("yeeees", 12.2, 12.9)))

    span = clip_span(call_of(words, over), moment_in(words, "too expensive", "objection"), NONE)

    assert span == Span(pytest.approx(10.9 - MARGIN_S), pytest.approx(12.9 + MARGIN_S))


def test_people_who_never_pause_do_not_make_a_clip_of_the_whole_call() -> None:
    words = spoken("too expensive", 30.0)
    first = tuple(Word("a", 0.6 * n, 0.6 * n + 0.5) for n in range(100))
    second = tuple(Word("b", 0.6 * n + 0.3, 0.6 * n + 0.8) for n in range(100))
    analysis = call_of(words, Segment(1, "speaker_1", first), Segment(2, "speaker_2", second))

    span = clip_span(analysis, moment_in(words, "too expensive", "objection"), NONE)

    assert 30.0 - MOST_OVERRUN_S - 0.1 <= span.start_s <= 30.0
    assert 30.9 <= span.end_s <= 30.9 + MOST_OVERRUN_S + 0.1


def test_a_silence_is_heard_between_the_words_around_it() -> None:
    before, after = spoken("let me look", 1.0), spoken("here it is", 9.0, 1)
    span = clip_span(call_of(before, after), at(2.4, 9.0))
    assert span == Span(pytest.approx(1.0 - MARGIN_S), pytest.approx(9.9 + 0.05))


def test_where_there_are_no_words_it_is_the_times_of_the_moment() -> None:
    assert clip_span(analysis_of(), at(20.0, 26.0)) == Span(18.5, 27.0)
    assert clip_span(analysis_of(), at(0.0, 89.8)) == Span(0.0, 90.0)
    assert clip_span(analysis_of(), at(90.0, 90.0), NONE) == Span(pytest.approx(89.8), pytest.approx(90.0))


def test_a_long_moment_ends_with_the_last_word_that_fits() -> None:
    segment = spoken(" ".join(["word"] * 100), 10.0)
    moment = at(10.0, 60.0)

    span = clip_span(call_of(segment), moment, Reach(longest_s=20.0))

    starts, ends = borders(call_of(segment))
    assert span.length_s <= 20.0
    assert span.length_s > 18.0
    assert min(abs(span.start_s - start) for start in starts) <= 0.1
    assert min(abs(span.end_s - end) for end in ends) <= 0.1
