"""Metrics of small scripted conversations, each number worked out by hand, and what always holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.schemas.audio import Span
from app.schemas.conversation import Conversation
from app.schemas.metrics import Metrics, NonTalk, Overlap, PartyMetrics, SpeakerSpan
from app.schemas.speaker import Role, Speaker
from app.schemas.transcript import Segment, Word
from app.services.metrics_service import METRICS_VERSION, measure, measured
from tests.services.metrics.factories import AGENT, CUSTOMER, THIRD, Line, conversation, plain


def party(metrics: Metrics, speaker: str) -> PartyMetrics:
    return next(each for each in metrics.parties if each.speaker == speaker)


def turns(metrics: Metrics) -> list[tuple[str, float, float]]:
    return [(turn.speaker, turn.start_s, turn.end_s) for turn in metrics.turns]


def starts_over(metrics: Metrics, kind: str) -> list[tuple[str, str, float, float]]:
    return [
        (each.speaker, each.over, each.start_s, each.end_s)
        for each in metrics.interruptions
        if each.kind == kind
    ]


def test_two_who_talk_over_each_other() -> None:
    """Duration 30. Agent 0-10 and 13.8-22, customer 9-14, 18-19 and 23-25."""
    metrics = measure(
        conversation(
            Line(AGENT, 0, 10, plain(20)),
            Line(CUSTOMER, 9, 14, plain(10)),
            Line(AGENT, 13.8, 22, plain(20)),
            Line(CUSTOMER, 18, 19, plain(4)),
            Line(CUSTOMER, 23, 25, plain(5)),
            duration_s=30,
        )
    )
    assert party(metrics, AGENT).talk_s == 18.2  # 10 + 8.2
    assert party(metrics, CUSTOMER).talk_s == 8.0  # 5 + 1 + 2
    assert metrics.overlap_s == 2.2  # 9-10, 13.8-14, 18-19
    assert metrics.speech_s == 24.0  # 0-22 and 23-25
    assert metrics.silence_s == 6.0  # 30 - 24; and 18.2 + 8 - 2.2 + 6 = 30
    assert metrics.share_of_speech == 0.6947  # 18.2 / 26.2
    assert metrics.share_of_call == 0.6067  # 18.2 / 30
    assert party(metrics, AGENT).words_per_minute == 131.9  # 40 words in 18.2 s
    assert party(metrics, CUSTOMER).words_per_minute == 142.5  # 19 words in 8 s
    assert turns(metrics) == [
        (AGENT, 0.0, 10.0), (CUSTOMER, 9.0, 14.0), (AGENT, 13.8, 22.0), (CUSTOMER, 18.0, 19.0),
        (CUSTOMER, 23.0, 25.0),
    ]  # fmt: skip
    # 18-19 lies within the agent's turn and takes nothing over. Three switches in half a minute.
    assert [switch.gap_s for switch in metrics.switches] == [-1.0, -0.2, 1.0]
    assert metrics.interactivity == 6.0
    assert metrics.patience is not None
    assert (metrics.patience.median_s, metrics.patience.p25_s) == (-0.2, -0.2)
    # At 9 the agent had spoken for 9 s, both speak for 1 s, and the agent stops after it. At 13.8 both
    # speak for 0.2 s only; from 18 on the agent goes on for 4 s.
    assert starts_over(metrics, "interruption") == [(CUSTOMER, AGENT, 9.0, 10.0)]
    assert starts_over(metrics, "overtalk") == [(AGENT, CUSTOMER, 13.8, 14.0), (CUSTOMER, AGENT, 18.0, 19.0)]
    assert metrics.longest_monologue == SpeakerSpan(AGENT, 0.0, 10.0)
    assert metrics.longest_customer_story == SpeakerSpan(CUSTOMER, 9.0, 14.0)
    assert metrics.non_talk == (NonTalk(25.0, 30.0, 5.0, True, "end"),)


def test_back_channels_break_no_turn_and_interrupt_nobody() -> None:
    """Duration 24. The agent speaks 0-10 and 10.5-20 while the customer listens audibly, then answers."""
    metrics = measure(
        conversation(
            Line(AGENT, 0, 10, plain(20)),
            Line(CUSTOMER, 5, 5.5, "Uh-huh."),
            Line(CUSTOMER, 10.1, 10.4, "Yeah, right, okay."),
            Line(AGENT, 10.5, 20, plain(19)),
            Line(CUSTOMER, 15, 15.4, "I see."),
            Line(CUSTOMER, 20.5, 21.5, "Yeah, I like it."),
            duration_s=24,
        )
    )
    assert turns(metrics) == [(AGENT, 0.0, 20.0), (CUSTOMER, 20.5, 21.5)]
    assert metrics.turns[0].words == 39  # 20 + 19
    assert metrics.back_channels is not None
    assert [(each.start_s, each.words) for each in metrics.back_channels] == [(5.0, 1), (10.1, 3), (15.0, 2)]
    assert starts_over(metrics, "interruption") == []
    # At 10.1 nobody else speaks.
    assert [(each.start_s, each.back_channel) for each in metrics.interruptions] == [
        (5.0, True),
        (15.0, True),
    ]
    assert party(metrics, CUSTOMER).talk_s == 2.2  # 0.5 + 0.3 + 0.4 + 1
    assert metrics.overlap_s == 0.9  # 0.5 + 0.4
    assert metrics.silence_s == 3.2  # 10-10.1, 10.4-10.5, 20-20.5 and 21.5-24
    assert metrics.interactivity == 2.5  # one switch in 0.4 minutes
    assert metrics.patience is None
    assert metrics.longest_monologue == SpeakerSpan(AGENT, 0.0, 20.0)


def test_a_long_silence_after_a_question() -> None:
    """Duration 18. Agent 2-4, customer 4.5-6, six seconds of nothing, agent 12-14."""
    metrics = measure(
        conversation(
            Line(AGENT, 2, 4, "Um, we can, you know, start."),
            Line(CUSTOMER, 4.5, 6, "How long does it take?"),
            Line(AGENT, 12, 14, "Two weeks, right?"),
            duration_s=18,
        )
    )
    assert metrics.speech_s == 5.5  # 2 + 1.5 + 2
    assert metrics.silence_s == 12.5  # 2 + 0.5 + 6 + 4
    # 0-2 is too short to count, 14-18 for dead air.
    assert metrics.non_talk == (
        NonTalk(6.0, 12.0, 6.0, True, "between"),
        NonTalk(14.0, 18.0, 4.0, False, "end"),
    )
    assert metrics.patience is not None
    assert metrics.patience.median_s == 6.0  # 12 - 6
    (question,) = metrics.questions  # the tag makes no question
    assert (question.speaker, question.segment, question.start_s, question.end_s) == (CUSTOMER, 1, 4.5, 6.0)
    assert party(metrics, CUSTOMER).questions_per_hour == 200.0  # 1 in 18 s, 3600 / 18
    assert party(metrics, AGENT).questions_per_hour == 0.0
    assert metrics.fillers is not None
    assert [filler.text for filler in metrics.fillers] == ["um", "you know"]
    assert metrics.agent_fillers_per_100_words == 22.2222  # 2 in 6 + 3 words


def test_a_monologue_goes_on_over_short_interjections() -> None:
    """Duration 150. Agent 0-60, 62.5-130 and 135-140, customer 60.5-62 and 131-134."""
    metrics = measure(
        conversation(
            Line(AGENT, 0, 60, plain(150)),
            Line(CUSTOMER, 60.5, 62, "I can see that now."),
            Line(AGENT, 62.5, 130, plain(270)),
            Line(CUSTOMER, 131, 134, plain(6)),
            Line(AGENT, 135, 140, plain(10)),
            duration_s=150,
        )
    )
    assert len(metrics.turns) == 5
    # 1.5 s of the customer's break the turn but not the monologue; 3 s do.
    assert metrics.longest_monologue == SpeakerSpan(AGENT, 0.0, 130.0)
    assert metrics.longest_customer_story == SpeakerSpan(CUSTOMER, 131.0, 134.0)
    assert metrics.patience is not None
    # Waits of 0.5 and 1 s: the middle is 0.75, a quarter of the way up 0.625.
    assert (metrics.patience.median_s, metrics.patience.p25_s) == (0.75, 0.625)
    agent = party(metrics, AGENT)
    assert agent.talk_s == 132.5  # 60 + 67.5 + 5
    assert agent.words_per_minute == 194.7  # 430 words
    # 0-15 s: words of 0.4 s, 37 midpoints (0.2, 0.6 … 14.6; the next is 15.0): 37 * 4.
    assert (agent.pace[0].start_s, agent.pace[0].end_s, agent.pace[0].words_per_minute) == (0.0, 15.0, 148.0)
    # The talk from 117.5 to 132.5 s of it: 120-130 and 135-140. 40 words of 0.25 s and 10.
    assert (agent.pace[-1].start_s, agent.pace[-1].end_s, agent.pace[-1].words_per_minute) == (
        120.0,
        140.0,
        200.0,
    )


def test_three_speakers() -> None:
    """Duration 20. Agent 0-10 and 15-20, one customer 10.5-14 and 15.5-15.9, another 13-16."""
    metrics = measure(
        conversation(
            Line(AGENT, 0, 10, plain(20)),
            Line(CUSTOMER, 10.5, 14, plain(7)),
            Line(THIRD, 13, 16, plain(6)),
            Line(AGENT, 15, 20, plain(10)),
            Line(CUSTOMER, 15.5, 15.9, "Sure."),
            duration_s=20,
        )
    )
    assert [each.talk_s for each in metrics.parties] == [15.0, 3.9, 3.0]
    assert (metrics.speech_s, metrics.silence_s) == (19.5, 0.5)  # all but 10-10.5
    assert metrics.overlap_s == 2.0  # 13-14 and 15-16
    assert metrics.overlaps == (
        Overlap(13.0, 14.0, (CUSTOMER, THIRD)),
        Overlap(15.0, 15.5, (AGENT, THIRD)),
        Overlap(15.5, 15.9, (AGENT, CUSTOMER, THIRD)),
        Overlap(15.9, 16.0, (AGENT, THIRD)),
    )
    # Both customers together: 10.5-16.
    assert metrics.share_of_speech == 0.7317  # 15 / 20.5
    assert metrics.share_of_call == 0.75
    assert starts_over(metrics, "interruption") == [(THIRD, CUSTOMER, 13.0, 14.0), (AGENT, THIRD, 15.0, 16.0)]
    assert starts_over(metrics, "overtalk") == [(CUSTOMER, AGENT, 15.5, 15.9), (CUSTOMER, THIRD, 15.5, 15.9)]
    assert metrics.interactivity == 9.0  # 3 switches in a third of a minute
    assert metrics.patience is not None
    assert metrics.patience.median_s == -1.0  # the second customer stops at 16, the agent starts at 15


def test_sentiment_by_quarter_weighted_by_words() -> None:
    """Duration 40: quarters of 10 s."""
    metrics = measure(
        conversation(
            Line(CUSTOMER, 0, 4, plain(4), (0.1, 0.9)),  # middle 2: 5 * -0.8 = -4
            Line(CUSTOMER, 5, 9, plain(12), (0.4, 0.4)),  # middle 7: 0
            Line(AGENT, 8, 14, plain(5), (0.6, 0.2)),  # middle 11: 2
            Line(CUSTOMER, 29, 31.5, plain(3), (0.9, 0.1)),  # middle 30.25: 4
            Line(CUSTOMER, 35, 36, plain(3)),  # not judged
            duration_s=40,
        )
    )
    course = party(metrics, CUSTOMER).sentiment
    # (4 * -4 + 12 * 0) / 16; then nothing; then 4.
    assert [quarter.score for quarter in course.quarters] == [-1.0, None, None, 4.0]
    assert [quarter.segments for quarter in course.quarters] == [(0, 1), (), (), (3,)]
    assert course.score == -0.2105  # (-16 + 0 + 12) / 19
    assert course.shift == 5.0
    assert metrics.sentiment.score == 0.25  # (-16 + 0 + 10 + 12) / 24
    assert party(metrics, AGENT).sentiment.shift is None


def test_numbers_about_roles_are_not_guessed() -> None:
    lines = (Line(AGENT, 0, 4, plain(8)), Line(CUSTOMER, 5, 9, plain(8)))
    nobody = measure(conversation(*lines, duration_s=10, roles={}))
    assert (nobody.share_of_speech, nobody.share_of_call, nobody.patience) == (None, None, None)
    assert (nobody.longest_monologue, nobody.longest_customer_story) == (None, None)
    assert nobody.agent_fillers_per_100_words is None
    assert party(nobody, AGENT).longest_turn == Span(0.0, 4.0)
    half = measure(conversation(*lines, duration_s=10, roles={AGENT: Role.AGENT}))
    assert (half.share_of_speech, half.share_of_call) == (None, 0.4)


def test_a_language_without_word_lists_has_the_measures_that_need_none() -> None:
    lines = (
        Line(AGENT, 0, 4, "Hoe gaat het?"),
        Line(CUSTOMER, 1, 1.5, "yeah"),
        Line(CUSTOMER, 5, 6, "Um goed"),
    )
    metrics = measure(conversation(*lines, duration_s=10, language="nl"))
    assert (metrics.back_channels, metrics.fillers, metrics.agent_fillers_per_100_words) == (None, None, None)
    assert [question.known_by for question in metrics.questions] == ["mark"]
    assert len(metrics.turns) == 3
    assert metrics == replace(measure(conversation(*lines, duration_s=10, language=None)), language="nl")


def test_overlap_on_one_channel_is_a_guess() -> None:
    lines = (Line(AGENT, 0, 4, plain(8)), Line(CUSTOMER, 3, 6, plain(8)))
    (one,) = measure(conversation(*lines, duration_s=10, separate_channels=False)).interruptions
    (two,) = measure(conversation(*lines, duration_s=10)).interruptions
    assert (one.reliable, two.reliable) == (False, True)
    assert one == replace(two, reliable=False)


@pytest.mark.parametrize("duration_s", [0.0, 0.2, 60.0])
def test_a_call_in_which_nobody_speaks(duration_s: float) -> None:
    metrics = measure(Conversation(duration_s, (), (), ()))
    assert (metrics.speech_s, metrics.silence_s) == (0.0, duration_s)
    assert metrics.interactivity == (None if duration_s == 0 else 0.0)
    assert metrics.non_talk == ((NonTalk(0.0, 60.0, 60.0, True, "whole"),) if duration_s == 60 else ())
    assert metrics.metrics_version == METRICS_VERSION


def test_a_fifth_of_a_second() -> None:
    metrics = measure(conversation(Line(AGENT, 0.0, 0.2, "Hello"), duration_s=0.2))
    assert (metrics.speech_s, metrics.silence_s, metrics.share_of_call) == (0.2, 0.0, 1.0)
    assert party(metrics, AGENT).words_per_minute == 300.0
    assert party(metrics, AGENT).pace == ()


def test_one_who_never_stops() -> None:
    metrics = measure(conversation(Line(AGENT, 0, 7200, plain(20_000)), duration_s=7200))
    assert metrics.longest_monologue == SpeakerSpan(AGENT, 0.0, 7200.0)
    assert (metrics.share_of_speech, metrics.interactivity, metrics.silence_s) == (1.0, 0.0, 0.0)


def test_words_without_length_and_words_upon_words() -> None:
    said = (
        Word("a", 1, 1),
        Word("b", 1, 3),
        Word("c", 2, 2.5),
        Word("d", 2, 5),
        Word("—", 6, 8),
        Word("e", 99, 98),
    )
    call = Conversation(10, (Segment(0, AGENT, said),), (None,), (Speaker(AGENT, Role.AGENT),), language="en")
    metrics = measure(call)
    assert party(metrics, AGENT).speech == (Span(1.0, 5.0),)
    assert (metrics.silence_s, party(metrics, AGENT).words) == (6.0, 5)
    assert turns(metrics) == [(AGENT, 1.0, 5.0), (AGENT, 10.0, 10.0)]


def test_guides_are_told_with_their_source() -> None:
    guides = {guide.metric: guide for guide in measure(Conversation(1, (), (), ())).guides}
    assert guides["share_of_speech"].source == "Gong Labs 2016, talk to listen 43 : 57"
    assert guides["longest_monologue"].most == 150
    assert (guides["patience"].least, guides["patience"].most) == (0.6, 1.0)
    assert (guides["words_per_minute"].least, guides["words_per_minute"].most) == (100, 180)
    assert {guide.source for guide in guides.values()} >= {guides["patience"].source}


TEXTS = st.sampled_from(
    ["Yeah.", "Uh-huh.", "How does it work?", "um well we do", "okay right", plain(12), plain(60),
     "I see, so what is it"]
)  # fmt: skip


@st.composite
def calls(draw: st.DrawFn, parties: int) -> Conversation:
    lines = [
        Line(f"speaker_{draw(st.integers(0, parties - 1))}", start / 100, (start + length) / 100, draw(TEXTS),
             draw(st.sampled_from([None, (0.1, 0.7), (0.6, 0.1)])))
        for start, length in draw(
            st.lists(st.tuples(st.integers(0, 6_000), st.integers(0, 3_000)), max_size=12)
        )
    ]  # fmt: skip
    lines.sort(key=lambda line: line.start_s)
    duration_s = draw(st.integers(1, 100_000)) / 1000
    return conversation(*lines, duration_s=duration_s, loudness=((-20.0,) * 50, (-30.5,) * 100, ()))


def renamed(call: Conversation, names: dict[str, str]) -> Conversation:
    """The same call with the names of its speakers exchanged; roles and channels stay with the voices."""
    return replace(
        call,
        segments=tuple(replace(segment, speaker=names[segment.speaker]) for segment in call.segments),
        speakers=tuple(replace(speaker, id=names[speaker.id]) for speaker in call.speakers),
    )


@settings(max_examples=150, deadline=None)
@given(calls(parties=2))
def test_two_parties_add_up(call: Conversation) -> None:
    metrics = measure(call)
    talk_s = sum(each.talk_s for each in metrics.parties)
    assert talk_s - metrics.overlap_s + metrics.silence_s == pytest.approx(metrics.duration_s, abs=1e-6)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 4).flatmap(lambda parties: calls(parties=parties)))
def test_what_always_holds(call: Conversation) -> None:
    metrics = measure(call)
    assert metrics == measure(call)
    assert metrics.speech_s + metrics.silence_s == pytest.approx(metrics.duration_s, abs=1e-6)
    assert metrics.overlap_s == pytest.approx(sum(each.end_s - each.start_s for each in metrics.overlaps))
    behind = [
        *metrics.overlaps, *metrics.turns, *(metrics.back_channels or ()), *metrics.switches,
        *metrics.interruptions, *metrics.non_talk, *metrics.questions, *(metrics.fillers or ()),
        *(span for each in metrics.parties for span in (*each.speech, *each.pace)),
    ]  # fmt: skip
    for each in behind:
        assert 0 <= each.start_s <= metrics.duration_s
        assert 0 <= each.end_s <= metrics.duration_s
    for each in metrics.parties:
        assert each.talk_s == pytest.approx(sum(span.length_s for span in each.speech))
        assert all(
            one.end_s < other.start_s for one, other in zip(each.speech, each.speech[1:], strict=False)
        )
    starts = [turn.start_s for turn in metrics.turns]
    assert starts == sorted(starts)
    adapter = TypeAdapter(Metrics)
    assert adapter.validate_python(adapter.dump_python(metrics, mode="json")) == metrics
    assert adapter.validate_json(adapter.dump_json(metrics)) == metrics


@settings(max_examples=100, deadline=None)
@given(calls(parties=2))
def test_exchanging_two_names_exchanges_their_numbers(call: Conversation) -> None:
    names = {AGENT: CUSTOMER, CUSTOMER: AGENT}
    metrics, exchanged = measure(call), measure(renamed(call, names))
    for each in metrics.parties:
        assert replace(each, speaker=names[each.speaker]) == party(exchanged, names[each.speaker])
    assert [replace(turn, speaker=names[turn.speaker]) for turn in metrics.turns] == list(exchanged.turns)
    assert (metrics.share_of_speech, metrics.interactivity) == (
        exchanged.share_of_speech,
        exchanged.interactivity,
    )
    assert measure(renamed(renamed(call, names), names)) == metrics


def test_what_was_measured_by_older_definitions_is_measured_anew() -> None:
    silent = Conversation(4.0, (), (), ())
    fresh = measure(silent)
    assert measured(silent, None) == fresh
    assert measured(silent, replace(fresh, metrics_version="0", overlap_s=9.0)) == fresh
    kept = replace(fresh, overlap_s=9.0)
    assert measured(silent, kept) is kept
