"""A reviewer's corrections: what each does, in order, and which of them cancel out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.exceptions import ValidationFailed
from app.schemas.speaker import (
    MergeSpeakers,
    NameSpeaker,
    Role,
    RoleSource,
    SetRole,
    Speaker,
    SpeakerEdit,
    SwapSpeakers,
)
from app.services.speaker_edits import apply_edits, with_edits
from tests.analyses import spoken

AGENT = Speaker("speaker_0", Role.AGENT, 0.7, RoleSource.WORDS)
CUSTOMER = Speaker("speaker_1", Role.CUSTOMER, 0.7, RoleSource.WORDS, "Ada")
THIRD = Speaker("speaker_2")
SEGMENTS = tuple(spoken("we talk", 2.0 * at, at, f"speaker_{at}") for at in range(3))
SWAP = SwapSpeakers("speaker_0", "speaker_1")
ALL = (AGENT, CUSTOMER, THIRD)


def test_a_swap_exchanges_roles_and_names() -> None:
    segments, speakers = apply_edits(SEGMENTS, ALL, [SWAP])
    assert speakers == (
        Speaker("speaker_0", Role.CUSTOMER, 1.0, RoleSource.MANUAL, "Ada"),
        Speaker("speaker_1", Role.AGENT, 1.0, RoleSource.MANUAL),
        THIRD,
    )
    assert [(segment.speaker, segment.role) for segment in segments] == [
        ("speaker_0", "customer"),
        ("speaker_1", "agent"),
        ("speaker_2", "unknown"),
    ]


def test_a_swap_with_an_unknown_role_makes_nothing_known() -> None:
    _, speakers = apply_edits(SEGMENTS, ALL, [SwapSpeakers("speaker_0", "speaker_2")])
    assert speakers[0] == Speaker("speaker_0")
    assert speakers[2] == Speaker("speaker_2", Role.AGENT, 1.0, RoleSource.MANUAL)


def test_merged_speakers_are_one_and_keep_their_segments() -> None:
    segments, speakers = apply_edits(SEGMENTS, ALL, [MergeSpeakers("speaker_2", "speaker_1")])
    assert speakers == (AGENT, CUSTOMER)
    assert [segment.speaker for segment in segments] == ["speaker_0", "speaker_1", "speaker_1"]
    assert [segment.text for segment in segments] == ["we talk"] * 3


def test_a_chain_of_merges_ends_at_the_last() -> None:
    edits = [MergeSpeakers("speaker_2", "speaker_1"), MergeSpeakers("speaker_1", "speaker_0")]
    segments, speakers = apply_edits(SEGMENTS, ALL, edits)
    assert speakers == (AGENT,)
    assert {(segment.speaker, segment.role) for segment in segments} == {("speaker_0", "agent")}


def test_names_and_roles() -> None:
    edits = [NameSpeaker("speaker_2", "Bo"), SetRole("speaker_2", Role.AGENT), NameSpeaker("speaker_1", None)]
    _, speakers = apply_edits(SEGMENTS, ALL, edits)
    assert speakers[1].name is None
    assert speakers[2] == Speaker("speaker_2", Role.AGENT, 1.0, RoleSource.MANUAL, "Bo")


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (NameSpeaker("speaker_7", "x"), "speakers.speaker_7"),
        (SwapSpeakers("speaker_0", "speaker_7"), "swap"),
        (SwapSpeakers("speaker_0", "speaker_0"), "swap"),
        (MergeSpeakers("speaker_0", "speaker_0"), "merge"),
        (MergeSpeakers("speaker_7", "speaker_0"), "merge"),
    ],
)
def test_a_speaker_that_there_is_not_is_refused(edit: SpeakerEdit, field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        apply_edits(SEGMENTS, ALL, [edit])
    assert [error["field"] for error in refused.value.errors] == [field]


def test_who_was_merged_away_cannot_be_named_any_more() -> None:
    with pytest.raises(ValidationFailed, match="there is no speaker_2"):
        apply_edits(SEGMENTS, ALL, [MergeSpeakers("speaker_2", "speaker_1"), NameSpeaker("speaker_2", "x")])


def test_a_swap_swapped_back_is_no_edit() -> None:
    assert with_edits([SWAP], [SWAP]) == ()
    assert with_edits([SWAP], [SwapSpeakers("speaker_1", "speaker_0")]) == ()
    other = SwapSpeakers("speaker_0", "speaker_2")
    assert with_edits([SWAP], [other]) == (SWAP, other)


def test_what_is_said_anew_replaces_what_was_said() -> None:
    first, second = NameSpeaker("speaker_0", "a"), NameSpeaker("speaker_0", "b")
    assert with_edits([first], [second]) == (second,)
    assert with_edits([first], [SetRole("speaker_0", Role.AGENT)]) == (
        first,
        SetRole("speaker_0", Role.AGENT),
    )


_NAMES = st.sampled_from([speaker.id for speaker in ALL])
_EDITS = st.lists(
    st.builds(NameSpeaker, _NAMES, st.none() | st.sampled_from(["x", "y"]))
    | st.builds(SetRole, _NAMES, st.sampled_from(Role))
    | st.permutations([speaker.id for speaker in ALL]).map(lambda names: SwapSpeakers(*names[:2])),
    max_size=6,
)


@given(made=_EDITS, new=_EDITS)
def test_cancelling_never_alters_the_outcome_but_for_being_said_by_hand(
    made: list[SpeakerEdit], new: list[SpeakerEdit]
) -> None:
    def roles(edits: tuple[SpeakerEdit, ...]) -> list[tuple[Role, str | None]]:
        return [(speaker.role, speaker.name) for speaker in apply_edits(SEGMENTS, ALL, edits)[1]]

    assert roles(with_edits(made, new)) == roles((*made, *new))
    assert len(with_edits(made, new)) <= len(made) + len(new)


@given(made=_EDITS)
def test_swapping_twice_gives_the_identical_result(made: list[SpeakerEdit]) -> None:
    before = with_edits((), made)
    twice = with_edits(with_edits(before, [SWAP]), [SWAP])
    assert apply_edits(SEGMENTS, ALL, twice) == apply_edits(SEGMENTS, ALL, before)
