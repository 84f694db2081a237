"""Corrections of the text among others: which take the place of which, and where they fit."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.schemas.correction import CorrectText, Edit
from app.schemas.speaker import Role, Speaker, SpeakerEdit, SwapSpeakers
from app.schemas.transcript import Segment
from app.services.speaker_edits import apply_edits
from app.services.text_edits import (
    apply_texts,
    joined,
    out_of_place,
    placed,
    speaker_edits_of,
    texts_of,
    with_text,
    without_text,
)
from tests.analyses import spoken
from tests.db.values import T0

SAID = ("we like it", "that is too expansive", "it pays for itself")
SEGMENTS = tuple(spoken(text, 4.0 * at, at, f"speaker_{at % 2}") for at, text in enumerate(SAID))
SPEAKERS = (Speaker("speaker_0", Role.AGENT), Speaker("speaker_1", Role.CUSTOMER))
SWAP = SwapSpeakers("speaker_0", "speaker_1")


def correction(at: int, text: str, id_: str = "", **changes: object) -> CorrectText:
    segment = SEGMENTS[at]
    made = CorrectText(
        id_ or f"t_{at}_{text}", at, text, segment.text, segment.start_s, segment.end_s, None, T0
    )
    return replace(made, **changes)


def test_a_segment_has_one_correction_and_none_that_says_what_was_heard() -> None:
    first, second = correction(1, "that is too expensive"), correction(1, "that is too dear")
    other = correction(0, "we love it")
    made = with_text(with_text(with_text((SWAP,), first), other), second)
    assert made == (SWAP, other, second)
    assert with_text(made, correction(1, " that is  too expansive")) == (SWAP, other)
    assert without_text(made, other.id) == (SWAP, second)


def test_what_fits_no_more_goes_when_the_same_time_is_corrected_again() -> None:
    lost = correction(1, "that is too expensive", segment=None)
    assert texts_of(with_text((lost,), correction(0, "we love it"))) == (
        correction(0, "we love it"),
        lost,
    )
    assert with_text((lost,), correction(1, "that is dear")) == (correction(1, "that is dear"),)
    elsewhere = replace(lost, channel=1)
    assert len(with_text((elsewhere,), correction(1, "that is dear"))) == 2


def moved(segment: Segment, by_s: float, index: int) -> Segment:
    words = tuple(
        replace(word, start_s=word.start_s + by_s, end_s=word.end_s + by_s) for word in segment.words
    )
    return replace(segment, index=index, words=words)


def test_corrections_follow_their_words_to_another_hearing() -> None:
    made = (correction(1, "that is too expensive"), correction(2, "it pays"))
    anew = (moved(SEGMENTS[1], 0.4, 5), moved(SEGMENTS[2], 0.6, 6))
    assert [text.segment for text in placed(made, anew)] == [5, None]
    assert [text.segment for text in placed(placed(made, anew), SEGMENTS)] == [1, 2]
    in_channel = tuple(
        replace(segment, words=tuple(replace(word, channel=1) for word in segment.words))
        for segment in SEGMENTS
    )
    assert [text.segment for text in placed(made, in_channel)] == [None, None]
    assert [text.segment for text in out_of_place(made)] == [None, None]
    assert apply_texts(SEGMENTS, out_of_place(made)) == SEGMENTS


def test_an_echo_is_corrected_once() -> None:
    made = (correction(1, "that is too expensive"),)
    twice = (SEGMENTS[1], replace(SEGMENTS[1], index=7))
    assert [segment.text for segment in apply_texts(twice, placed(made, twice))] == [
        "that is too expensive",
        "that is too expansive",
    ]


_TEXTS = st.builds(correction, st.integers(0, 2), st.sampled_from([*SAID, "a b", "it is dear"]))
_EDITS = st.lists(_TEXTS | st.just(SWAP), max_size=8)


def made_of(edits: list[Edit]) -> tuple[Edit, ...]:
    made: tuple[Edit, ...] = ()
    for edit in edits:
        if isinstance(edit, CorrectText):
            made = with_text(made, edit)
        else:
            made = joined((*speaker_edits_of(made), edit), texts_of(made))
    return made


@given(edits=_EDITS)
def test_corrections_of_texts_and_speakers_do_not_mind_one_another(edits: list[Edit]) -> None:
    made = made_of(edits)
    swaps: list[SpeakerEdit] = [edit for edit in edits if not isinstance(edit, CorrectText)]
    said, speakers = apply_edits(SEGMENTS, SPEAKERS, swaps)
    last = {edit.segment: edit.text for edit in edits if isinstance(edit, CorrectText)}
    assert apply_edits(SEGMENTS, SPEAKERS, speaker_edits_of(made)) == (said, speakers)
    found = apply_texts(said, made)
    assert [segment.text for segment in found] == [last.get(at, text) for at, text in enumerate(SAID)]
    assert apply_edits(apply_texts(SEGMENTS, made), SPEAKERS, speaker_edits_of(made))[0] == found


@given(edits=_EDITS)
def test_without_any_correction_there_is_none(edits: list[Edit]) -> None:
    made = made_of(edits)
    for text in texts_of(made):
        made = without_text(made, text.id)
    assert made == speaker_edits_of(made)
    assert apply_texts(SEGMENTS, made) == SEGMENTS
