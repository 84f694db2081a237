"""Roles: channel first, then names, then words; deterministic, and honest about not knowing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.schemas.speaker import Role, RoleSource, Speaker
from app.schemas.transcript import Segment, Word
from app.services.roles_service import RoleHints, assign_roles

GREETING = "Thanks for calling Northwind, this is Ana, how can I help you?"
COMPLAINT = "I was charged twice and I want to speak to a manager."


def said(*turns: tuple[int, str], channels: dict[int, int] | None = None) -> list[Segment]:
    """Segments of speaker numbers and texts, a second a word."""
    segments, now = [], 0.0
    for index, (speaker, text) in enumerate(turns):
        words = []
        for word in text.split():
            words.append(Word(word, now, now + 0.9, channel=(channels or {}).get(speaker)))
            now += 1.0
        segments.append(Segment(index, f"speaker_{speaker}", tuple(words)))
    return segments


def roles(speakers: tuple[Speaker, ...]) -> list[str]:
    return [str(speaker.role) for speaker in speakers]


def test_nobody_speaks() -> None:
    assert assign_roles([], {}, RoleHints(agent_channel=0)) == ()


def test_the_agents_channel_decides_against_all_words() -> None:
    segments = said((0, GREETING), (1, COMPLAINT))
    speakers = assign_roles(
        segments, {"speaker_0": 0, "speaker_1": 1}, RoleHints(agent_channel=1, language="en")
    )
    assert speakers == (
        Speaker("speaker_0", Role.CUSTOMER, 1.0, RoleSource.CHANNEL, channel=0),
        Speaker("speaker_1", Role.AGENT, 1.0, RoleSource.CHANNEL, channel=1),
    )


def test_speakers_in_one_channel_share_its_role() -> None:
    segments = said((0, "hello"), (1, "hi"), (2, "me too"), channels={0: 0, 1: 1, 2: 1})
    by_map = {"speaker_0": 0, "speaker_1": None, "speaker_2": None}
    speakers = assign_roles(segments, by_map, RoleHints(agent_channel=0))
    assert roles(speakers) == ["agent", "customer", "customer"]
    assert [speaker.channel for speaker in speakers] == [0, None, None]


def test_two_parties_by_channel_are_told_apart_by_all_that_each_says() -> None:
    segments = said(
        (0, "hello there"), (1, COMPLAINT), (2, "I'm the manager, let me pull up your account"),
        channels={0: 0, 1: 1, 2: 0},
    )  # fmt: skip
    speakers = assign_roles(
        segments, {"speaker_0": None, "speaker_1": 1, "speaker_2": None}, RoleHints(language="en")
    )
    assert roles(speakers) == ["agent", "customer", "agent"]
    assert {speaker.role_source for speaker in speakers} == {RoleSource.WORDS}


def test_a_known_channel_is_of_no_use_where_speakers_have_none() -> None:
    segments = said((0, GREETING), (1, COMPLAINT))
    speakers = assign_roles(segments, {"speaker_0": None}, RoleHints(agent_channel=1, language="en"))
    assert roles(speakers) == ["agent", "customer"]
    assert speakers[0].role_source is RoleSource.WORDS


def test_a_lone_speaker_with_a_channel() -> None:
    for channel, role in ((0, Role.AGENT), (1, Role.CUSTOMER)):
        (speaker,) = assign_roles(said((0, "hello")), {"speaker_0": channel}, RoleHints(agent_channel=0))
        assert (speaker.role, speaker.role_confidence) == (role, 1.0)


def test_metadata_may_name_the_channel_and_the_people() -> None:
    told = {"agent_channel": "1", "agent_name": " Bo Li ", "customer_name": "Ed", "campaign": "spring"}
    channels = {"speaker_0": 0, "speaker_1": 1}
    speakers = assign_roles(said((0, "hello"), (1, "hi")), channels, RoleHints(metadata=told))
    assert [(speaker.role, speaker.role_source, speaker.name) for speaker in speakers] == [
        (Role.CUSTOMER, RoleSource.METADATA, "Ed"),
        (Role.AGENT, RoleSource.METADATA, "Bo Li"),
    ]


def test_a_setting_wins_over_metadata_and_nonsense_is_ignored() -> None:
    channels, segments = {"speaker_0": 0, "speaker_1": 1}, said((0, "so"), (1, "hi"))
    hints = RoleHints(agent_channel=0, metadata={"agent_channel": "1"})
    assert roles(assign_roles(segments, channels, hints)) == ["agent", "customer"]
    nonsense = RoleHints(metadata={"agent_channel": "left"}, direction="sideways")
    assert roles(assign_roles(segments, channels, nonsense)) == ["unknown", "unknown"]


def test_who_introduces_themself_by_a_known_name_has_that_role() -> None:
    segments = said((0, "Hello, this is Mark Lee, how can I help?"), (1, "Hi Mark, it's Dana from Oakfield."))
    agent = assign_roles(segments, {}, RoleHints(metadata={"agent_name": "Dana Poe"}, language="en"))
    assert roles(agent) == ["customer", "agent"]
    assert [speaker.role_source for speaker in agent] == [RoleSource.METADATA] * 2
    assert [speaker.name for speaker in agent] == [None, "Dana Poe"]
    customer = assign_roles(segments, {}, RoleHints(metadata={"customer_name": "Mark"}, language="en"))
    assert roles(customer) == ["customer", "agent"]
    assert 0.9 <= customer[0].role_confidence < 1.0


def test_names_that_contradict_or_do_not_occur_decide_nothing() -> None:
    segments = said((0, GREETING), (1, COMPLAINT + " My name is Ana too."))
    for told in ({"agent_name": "Ana"}, {"agent_name": "Zoe"}):
        speakers = assign_roles(segments, {}, RoleHints(metadata=told, language="en"))
        assert roles(speakers) == ["agent", "customer"]
        assert {speaker.role_source for speaker in speakers} == {RoleSource.WORDS}
        assert {speaker.name for speaker in speakers} == {None}


def test_of_three_the_named_agent_is_certain_and_the_rest_goes_by_words() -> None:
    segments = said((0, "hello"), (1, COMPLAINT), (2, "this is Bo"))
    speakers = assign_roles(segments, {}, RoleHints(metadata={"agent_name": "Bo"}, language="en"))
    assert roles(speakers)[2] == "agent"
    assert speakers[2].role_source is RoleSource.METADATA
    assert roles(speakers)[1] == "customer"


def test_two_of_whom_nothing_is_known() -> None:
    speakers = assign_roles(said((0, "okay"), (1, "right")), {}, RoleHints(language="en"))
    assert speakers == (Speaker("speaker_0"), Speaker("speaker_1"))


def test_the_direction_alone_is_a_weak_sign() -> None:
    segments = said((0, "okay"), (1, "right"))
    inbound = assign_roles(segments, {}, RoleHints(direction="inbound"))
    outbound = assign_roles(segments, {}, RoleHints(direction="outbound"))
    assert roles(inbound) == ["agent", "customer"]
    assert roles(outbound) == ["customer", "agent"]
    assert all(0.5 < speaker.role_confidence < 0.65 for speaker in (*inbound, *outbound))
    assert {speaker.role_source for speaker in inbound} == {RoleSource.METADATA}


def test_words_outweigh_the_direction() -> None:
    speakers = assign_roles(
        said((0, GREETING), (1, COMPLAINT)), {}, RoleHints(direction="outbound", language="en")
    )
    assert roles(speakers) == ["agent", "customer"]


def test_a_little_evidence_decides_with_little_confidence() -> None:
    weak = assign_roles(said((0, "okay"), (1, "it is my car")), {}, RoleHints(language="en"))
    strong = assign_roles(said((0, GREETING), (1, COMPLAINT)), {}, RoleHints(language="en"))
    assert roles(weak) == ["agent", "customer"]
    assert 0.5 < weak[0].role_confidence < 0.75 < strong[0].role_confidence


def test_the_place_that_answers_with_its_name_may_be_the_customers() -> None:
    segments = said(
        (0, "Good morning, Acme Plumbing, how can I help?"),
        (1, "Hi, this is Sam from Ledgerline, I was hoping to speak with whoever handles your invoicing."),
        (0, "That would be my husband, he's out."),
        (1, "Okay, when would be a good time to reach him?"),
    )
    assert roles(assign_roles(segments, {}, RoleHints(language="en"))) == ["customer", "agent"]


def test_a_supervisor_who_joins_is_an_agent_too() -> None:
    segments = said(
        (0, GREETING), (1, COMPLAINT), (0, "I understand, please hold."),
        (2, "Hi, this is the manager. How can I help you?"),
        (1, "I've been a customer for ten years and I was charged twice."),
        (2, "I apologise for that, I'll refund the second charge today."),
    )  # fmt: skip
    assert roles(assign_roles(segments, {}, RoleHints(language="en"))) == ["agent", "customer", "agent"]


def test_a_third_who_says_little_is_on_the_customers_side() -> None:
    segments = said((0, GREETING), (1, COMPLAINT), (2, "she means the bill of May"))
    speakers = assign_roles(segments, {}, RoleHints(language="en"))
    assert roles(speakers) == ["agent", "customer", "customer"]
    assert speakers[2].role_confidence < speakers[0].role_confidence


def test_three_of_whom_nothing_is_known() -> None:
    segments = said((0, "okay"), (1, "right"), (2, "so"))
    assert roles(assign_roles(segments, {}, RoleHints(language="en"))) == ["unknown"] * 3


def test_a_voicemail_tells_who_left_it_only_where_it_is_clear() -> None:
    def alone(text: str) -> Speaker:
        (speaker,) = assign_roles(said((0, text)), {}, RoleHints(language="en"))
        return speaker

    agent = alone("hi this is jane calling from brightpath about your application please give me a call back")
    assert (agent.role, agent.role_source) == (Role.AGENT, RoleSource.WORDS)
    assert agent.role_confidence > 0.8
    assert (
        alone("call me ishmael some years ago having little money in my purse I thought").role is Role.UNKNOWN
    )
    both = alone(
        "how can I help you I was charged twice and I want a refund let me pull up your account thanks"
    )
    assert both.role_confidence < 0.8


def test_turns_of_a_speaker_that_follow_one_another_are_one() -> None:
    whole = assign_roles(said((0, GREETING), (1, COMPLAINT)), {}, RoleHints(language="en"))
    greeting, complaint = GREETING.split(), COMPLAINT.split()
    cut = said(
        (0, " ".join(greeting[:4])), (0, " ".join(greeting[4:])),
        (1, " ".join(complaint[:2])), (1, " ".join(complaint[2:])),
    )  # fmt: skip
    assert assign_roles(cut, {}, RoleHints(language="en")) == whole


TEXTS = st.sampled_from([GREETING, COMPLAINT, "okay", "how much is it", "I'll send you the form", "123", "…"])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), TEXTS), max_size=8), st.sampled_from(["inbound", None]))
def test_invariants(turns: list[tuple[int, str]], direction: str | None) -> None:
    segments = said(*turns)
    hints = RoleHints(direction=direction, language="en")
    speakers = assign_roles(segments, {}, hints)
    assert speakers == assign_roles(segments, {}, hints)
    assert [speaker.id for speaker in speakers] == list(dict.fromkeys(item.speaker for item in segments))
    for speaker in speakers:
        assert 0.0 <= speaker.role_confidence <= 1.0
        assert (speaker.role is Role.UNKNOWN) == (speaker.role_confidence == 0.0)
        assert (speaker.role is Role.UNKNOWN) == (speaker.role_source is RoleSource.NONE)
    if len(speakers) == 2:
        assert sorted(roles(speakers)) in (["agent", "customer"], ["unknown", "unknown"])
        assert speakers[0].role_confidence == speakers[1].role_confidence
