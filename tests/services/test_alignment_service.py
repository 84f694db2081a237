"""Words and turns into segments: the example of the service, the rules of a cut, and what always holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.schemas.speaker import Role, Speaker
from app.schemas.transcript import Segment, Transcript, Turn, Word, join_words
from app.services.alignment_service import SEGMENT_GAP_S, align, with_roles


def spoken(text: str, start_s: float, end_s: float) -> list[Word]:
    """The words of ``text`` spread evenly, without gaps, from start to end."""
    parts = text.split()
    step = (end_s - start_s) / len(parts)
    return [
        Word(part, start_s + index * step, end_s if index == len(parts) - 1 else start_s + (index + 1) * step)
        for index, part in enumerate(parts)
    ]


def transcript_of(*words: Word) -> Transcript:
    return Transcript(tuple(words), "en")


def seen(segments: tuple[Segment, ...]) -> list[tuple[str, str]]:
    return [(segment.speaker, segment.text) for segment in segments]


FIRST = "Hello, I'm interested in your product."
SECOND = "That sounds great, but it's a bit too expensive for our budget."


def test_the_example_of_the_service() -> None:
    transcript = transcript_of(*spoken(FIRST, 0.0, 3.5), *spoken(SECOND, 4.0, 8.2))
    segments = align(transcript, [Turn(0, 0.0, 3.5), Turn(1, 4.0, 8.2)])
    assert seen(segments) == [("speaker_0", FIRST), ("speaker_1", SECOND)]
    assert [(each.index, each.start_s, each.end_s, each.role) for each in segments] == [
        (0, 0.0, 3.5, "unknown"),
        (1, 4.0, 8.2, "unknown"),
    ]


def test_no_words_no_segments() -> None:
    assert align(Transcript((), None), [Turn(0, 0.0, 1.0)]) == ()


def test_without_turns_there_is_one_speaker() -> None:
    segments = align(transcript_of(Word("one", 0, 1), Word("two", 1, 2), Word("three", 5, 6)), [])
    assert seen(segments) == [("speaker_0", "one two"), ("speaker_0", "three")]


def test_a_word_goes_to_the_turn_it_overlaps_most() -> None:
    turns = [Turn(0, 0.0, 1.3), Turn(1, 1.3, 3.0)]
    segments = align(
        transcript_of(Word("yes", 0.5, 1.0), Word("over", 1.0, 1.5), Word("no", 1.5, 2.0)), turns
    )
    assert seen(segments) == [("speaker_0", "yes over"), ("speaker_1", "no")]


def test_a_change_of_speaker_inside_the_engines_segment_cuts_it() -> None:
    words = spoken("so what do you think it is fine", 0.0, 8.0)
    segments = align(transcript_of(*words), [Turn(0, 0.0, 5.0), Turn(1, 5.0, 8.0)])
    assert seen(segments) == [("speaker_0", "so what do you think"), ("speaker_1", "it is fine")]


def test_a_word_in_no_turn_goes_to_the_nearest() -> None:
    turns = [Turn(0, 0.0, 1.0), Turn(1, 4.0, 5.0)]
    words = [Word("near", 1.5, 1.9), Word("later", 3.2, 3.6), Word("last", 9.0, 9.5)]
    assert [segment.speaker for segment in align(transcript_of(*words), turns)] == [
        "speaker_0",
        "speaker_1",
        "speaker_1",
    ]


def test_the_nearest_turn_may_be_an_early_long_one() -> None:
    turns = [Turn(0, 0.0, 10.0), Turn(1, 1.0, 2.0), Turn(1, 20.0, 21.0)]
    words = [Word("first", 6.0, 6.5), Word("well", 11.0, 11.5), Word("last", 20.0, 20.5)]
    assert [segment.speaker for segment in align(transcript_of(*words), turns)] == [
        "speaker_0",
        "speaker_0",
        "speaker_1",
    ]


def test_speakers_are_named_as_they_appear_whatever_the_engine_calls_them() -> None:
    turns = [Turn(7, 0.0, 1.0), Turn(3, 1.0, 2.0), Turn(7, 2.0, 3.0)]
    words = [Word("a", 0.1, 0.9), Word("b", 1.1, 1.9), Word("c", 2.1, 2.9)]
    assert seen(align(transcript_of(*words), turns)) == [
        ("speaker_0", "a"),
        ("speaker_1", "b"),
        ("speaker_0", "c"),
    ]


def test_turns_may_come_in_any_order() -> None:
    words = [Word("a", 0.1, 0.9), Word("b", 1.1, 1.9)]
    turns = [Turn(0, 0.0, 1.0), Turn(1, 1.0, 2.0)]
    assert align(transcript_of(*words), turns) == align(transcript_of(*words), turns[::-1])


def test_a_segment_ends_where_the_engine_ended_one() -> None:
    words = [Word("one.", 0.0, 1.0, ends_segment=True), Word("two", 1.0, 2.0)]
    assert seen(align(transcript_of(*words), [Turn(0, 0.0, 2.0)])) == [
        ("speaker_0", "one."),
        ("speaker_0", "two"),
    ]


def test_a_segment_ends_at_a_long_pause_only() -> None:
    turns = [Turn(0, 0.0, 9.0)]
    short = transcript_of(Word("one", 0.0, 1.1), Word("two", 1.89, 2.5))
    long = transcript_of(Word("one", 0.0, 1.1), Word("two", 1.9, 2.5))
    assert len(align(short, turns)) == 1
    assert len(align(long, turns)) == 2


def test_words_keep_the_spacing_of_their_script() -> None:
    words = [Word("你", 0.0, 0.5), Word("好", 0.5, 1.0, space_before=False)]
    assert seen(align(transcript_of(*words), [])) == [("speaker_0", "你好")]


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    starts = sorted(draw(st.lists(st.integers(0, 600), max_size=30)))
    words = [
        Word(
            draw(st.sampled_from(["yes", "no", "well,", "9.99", "ok."])),
            start / 10,
            (start + draw(st.integers(0, 20))) / 10,
            space_before=draw(st.booleans()),
            ends_segment=draw(st.booleans()),
        )
        for start in starts
    ]
    return Transcript(tuple(words), "en" if words else None)


TURNS = st.lists(
    st.builds(
        lambda speaker, start, length: Turn(speaker, start / 10, (start + length) / 10),
        st.integers(0, 4),
        st.integers(0, 600),
        st.integers(0, 300),
    ),
    max_size=12,
)


@given(transcripts(), TURNS)
def test_what_always_holds(transcript: Transcript, turns: list[Turn]) -> None:
    segments = align(transcript, turns)
    assert [word for segment in segments for word in segment.words] == list(transcript.words)
    assert [segment.index for segment in segments] == list(range(len(segments)))
    assert all(segment.words and segment.text == join_words(segment.words) for segment in segments)
    assert all(segment.start_s <= segment.end_s for segment in segments)
    starts = [segment.start_s for segment in segments]
    assert starts == sorted(starts)
    named = list(dict.fromkeys(segment.speaker for segment in segments))
    assert named == [f"speaker_{number}" for number in range(len(named))]
    assert len(named) <= max(1, len({turn.speaker for turn in turns}))
    for segment in segments:
        assert not any(word.ends_segment for word in segment.words[:-1])
        for position, word in enumerate(segment.words[1:], 1):
            assert word.start_s - max(each.end_s for each in segment.words[:position]) < SEGMENT_GAP_S


@given(transcripts(), TURNS.filter(bool))
def test_every_word_has_the_best_of_all_turns(transcript: Transcript, turns: list[Turn]) -> None:
    """The search against the plain definition: most overlap, else least distance."""
    possible: dict[str, set[int]] = {}
    for segment in align(transcript, turns):
        for word in segment.words:
            fits = {
                turn: (max(overlap_s(word, turn), 0.0), min(overlap_s(word, turn), 0.0)) for turn in turns
            }
            best = max(fits.values())
            near_best = {
                turn.speaker
                for turn, fit in fits.items()
                if fit[0] >= best[0] - 1e-9 and fit[1] >= best[1] - 1e-9
            }
            possible[segment.speaker] = possible.get(segment.speaker, near_best) & near_best
    assert all(possible.values())


def overlap_s(word: Word, turn: Turn) -> float:
    """Shared time; below zero, the distance between the two."""
    return min(turn.end_s, word.end_s) - max(turn.start_s, word.start_s)


def heard(channel: int, text: str, *times: tuple[float, float]) -> list[Word]:
    words = zip(text.split(), times, strict=True)
    return [Word(word, start_s, end_s, channel=channel) for word, (start_s, end_s) in words]


BY_CHANNEL = [Turn(0, 0.0, 10.0, 0), Turn(1, 0.0, 10.0, 1)]


def test_a_word_goes_only_to_a_turn_of_its_channel() -> None:
    words = heard(1, "mine", (1.0, 1.5))
    segments = align(transcript_of(*words), [Turn(0, 0.0, 9.0, 0), Turn(1, 5.0, 6.0, 1)])
    assert [(s.speaker, s.words[0].channel) for s in segments] == [("speaker_0", 1)]


def test_parties_who_talk_at_once_are_not_cut_by_each_other() -> None:
    words = [
        *heard(0, "so we are open", (0.0, 0.4), (0.4, 0.8), (0.85, 1.2), (1.2, 1.6)),
        *heard(1, "wait no", (0.5, 0.9), (0.95, 1.3)),
    ]
    segments = align(transcript_of(*sorted(words, key=lambda word: word.start_s)), BY_CHANNEL)
    assert seen(segments) == [("speaker_0", "so we are open"), ("speaker_1", "wait no")]


def test_an_answer_in_a_pause_cuts_and_a_breath_does_not() -> None:
    asks = heard(0, "ready yes then", (0.0, 0.4), (0.9, 1.2), (1.35, 1.6))
    answers = heard(1, "go mm", (0.5, 0.8), (1.22, 1.3))
    segments = align(transcript_of(*sorted(asks + answers, key=lambda word: word.start_s)), BY_CHANNEL)
    assert [(s.words[0].channel, s.text) for s in segments] == [
        (0, "ready"),
        (1, "go"),
        (0, "yes then"),
        (1, "mm"),
    ]


def test_segments_carry_the_role_of_their_speaker() -> None:
    segments = align(transcript_of(Word("one", 0, 1), Word("two", 5, 6)), [Turn(0, 0, 1), Turn(1, 5, 6)])
    speakers = [Speaker("speaker_0", Role.AGENT), Speaker("speaker_1")]
    assert [segment.role for segment in with_roles(segments, speakers)] == ["agent", "unknown"]
