"""The coachable service: moments with exact evidence, one of a kind in a segment, judged by a threshold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.config import load_settings
from app.core.exceptions import ConfigurationError, PlaybookMissing
from app.schemas.metrics import Metrics
from app.schemas.moment import Moment, MomentType, moment_id
from app.schemas.reading import Calibration, MergeWeights, Reading
from app.schemas.transcript import Segment, Word
from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.coachable_service import CoachableService
from app.services.metrics_service import measure
from tests.services.coachable.factories import (
    built_in_service,
    playbook,
    playbook_text,
    rule,
    segment,
    timed_rule,
    write_playbook,
)
from tests.services.metrics.factories import AGENT, CUSTOMER, Line, conversation, plain

DEMO = "That sounds great, but it's a bit too expensive for our budget."


def service(folder: Path, *rules: dict[str, object], **settings: object) -> CoachableService:
    write_playbook(folder, playbook_text(*rules))
    return CoachableService(load_settings(_env_file=None, playbook="mine", playbook_dir=folder, **settings))


def only(moments: tuple[Moment, ...], index: int = 0) -> Moment:
    (moment,) = moments
    assert moment.segment == index
    return moment


def test_the_example_of_the_public_answer() -> None:
    calls = [segment("Hello, I'm interested in your product.", "unknown"), segment(DEMO, "unknown", 1, 4.0)]
    moments = built_in_service().find("CALL-001", calls, "en")
    of_each = [[moment for moment in moments if moment.segment == index] for index in (0, 1)]
    assert [built_in_service().judge(found) for found in of_each] == [
        (True, "buying_signal"), (True, "objection"),
    ]  # fmt: skip
    assert of_each[1][0].subtype == "price"


def test_a_moment_says_where_it_lies_and_what_found_it(tmp_path: Path) -> None:
    said = segment("Well, yes: I’m interested, thanks.", start_s=10.0)
    rules = rule(id="keen", condition={"phrases": ["i am interested"]})
    moment = only(service(tmp_path, rules).find("c", [said], "en"))
    assert (moment.type, moment.subtype, moment.confidence) == ("buying_signal", None, 0.8)
    assert (moment.source, moment.rule, moment.why, moment.tip) == ("rule", "keen", "W.", "T.")
    assert (moment.segment, moment.speaker, moment.role) == (0, "speaker_0", "customer")
    evidence = moment.evidence
    assert evidence.text == "I’m interested" == said.text[evidence.start_char : evidence.end_char]
    assert (evidence.first_word, evidence.last_word) == (2, 3)
    assert (evidence.start_s, evidence.end_s) == (said.words[2].start_s, said.words[3].end_s)
    assert moment.id == moment_id("c", "buying_signal", evidence.start_s, evidence.end_s)


def test_words_split_without_a_space_keep_their_times(tmp_path: Path) -> None:
    words = (
        Word(" I", 0.0, 0.1), Word("'m", 0.1, 0.2, space_before=False), Word("", 0.2, 0.2),
        Word("interested", 0.3, 0.5), Word(".", 0.5, 0.6, space_before=False),
    )  # fmt: skip
    said = Segment(3, "speaker_1", words, "customer")
    found = service(tmp_path, rule(condition={"phrases": ["i am interested"]})).find("c", [said], None)
    evidence = only(found, 3).evidence
    assert evidence.text == said.text[evidence.start_char : evidence.end_char]
    assert (evidence.first_word, evidence.last_word) == (0, 3)
    assert (evidence.start_s, evidence.end_s) == (0.0, 0.5)


PIECES = st.sampled_from(
    ["I'm", "i’m", "not", "too", "expensive,", "We", "can’t", "afford", "it.", "20%", "$900", "Let", "me",
     "think", "about", "it", "—", "🙂", "I'll", "send", "you", "the", "proposal", "by", "Friday.", "What?"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.tuples(PIECES, st.booleans()), min_size=1, max_size=15), max_size=3))
def test_evidence_is_exactly_the_words_it_points_at(calls: list[list[tuple[str, bool]]]) -> None:
    segments = [
        Segment(
            index,
            "speaker_0",
            tuple(
                Word(text, place, place + 1.0, space_before=space)
                for place, (text, space) in enumerate(pieces)
            ),
            "unknown",
        )
        for index, pieces in enumerate(calls)
    ]
    moments = built_in_service().find("c", segments, "en")
    assert len({moment.id for moment in moments}) == len(moments)
    assert len({(moment.segment, moment.type, moment.subtype) for moment in moments}) == len(moments)
    assert list(moments) == sorted(moments, key=lambda each: (each.evidence.start_s, -each.confidence))
    for moment in moments:
        assert moment.segment is not None
        said, evidence = segments[moment.segment], moment.evidence
        assert evidence.text == said.text[evidence.start_char : evidence.end_char] != ""
        assert 0 <= evidence.first_word <= evidence.last_word < len(said.words)
        assert evidence.start_s == said.words[evidence.first_word].start_s
        assert evidence.end_s == said.words[evidence.last_word].end_s
        joined = " ".join(word.text for word in said.words[evidence.first_word : evidence.last_word + 1])
        assert evidence.text.replace(" ", "") in joined.replace(" ", "")


def test_a_segment_may_hold_several_moments_in_order_of_time() -> None:
    moments = built_in_service().find(
        "c", [segment(f"{DEMO} Can you send me the contract? My boss has to approve it.")], "en"
    )
    kinds = [(moment.type, moment.subtype) for moment in moments]
    assert kinds == [("objection", "price"), ("buying_signal", None), ("objection", "authority")]


def test_of_those_that_start_together_the_surest_comes_first(tmp_path: Path) -> None:
    rules = [rule(id="low", confidence=0.5), rule(id="high", type="confusion", confidence=0.9)]
    found = service(tmp_path, *rules).find("c", [segment("I want it")], "en")
    assert [moment.rule for moment in found] == ["high", "low"]


def test_only_the_surest_of_each_kind_stays(tmp_path: Path) -> None:
    rules = [
        rule(id="low", confidence=0.5),
        rule(id="high", confidence=0.9, condition={"phrases": ["want it"]}),
    ]
    assert only(service(tmp_path, *rules).find("c", [segment("I want it")], "en")).rule == "high"


def test_preferring_a_competitor_mentions_one(tmp_path: Path) -> None:
    rules = rule(
        id="tied", type="objection", subtype="competitor", condition={"phrases": ["we stay with them"]}
    )
    moments = service(tmp_path, rules).find("c", [segment("We stay with them.")], "en")
    assert {(moment.type, moment.subtype) for moment in moments} == {
        ("objection", "competitor"), ("competitor_mention", None),
    }  # fmt: skip
    assert len({moment.id for moment in moments}) == 2
    assert len({moment.evidence for moment in moments}) == 1


def test_stalling_with_a_reason_is_an_objection_alone() -> None:
    moments = built_in_service().find(
        "c", [segment("Let me think about it, it is too expensive for us.")], "en"
    )
    assert {moment.type for moment in moments} == {"objection"}


def test_a_role_that_is_not_known_costs_a_fifth(tmp_path: Path) -> None:
    mine = service(tmp_path, rule())
    assert only(mine.find("c", [segment("I want it", "unknown")], "en")).confidence == 0.64
    assert mine.find("c", [segment("I want it", "agent")], "en") == ()


@pytest.mark.parametrize(
    ("language", "heard"),
    [(None, True), ("en", True), ("en-GB", True), ("EN", True), ("de", False), ("", True)],
)
def test_rules_apply_to_their_languages(language: str | None, heard: bool) -> None:
    assert bool(built_in_service().find("c", [segment(DEMO)], language)) is heard


@pytest.mark.parametrize(("threshold", "judged"), [(0.8, (True, "buying_signal")), (0.81, (False, None))])
def test_the_threshold_decides_what_is_coachable(
    threshold: float, judged: tuple[bool, str | None], tmp_path: Path
) -> None:
    mine = service(tmp_path, rule(), coachable_confidence_threshold=threshold)
    assert mine.judge(mine.find("c", [segment("I want it")], "en")) == judged
    assert mine.judge(()) == (False, None)


def test_ids_stay_apart_and_come_back(tmp_path: Path) -> None:
    """Both channels of an echo say the same words at the same times."""
    mine = service(tmp_path, rule())
    echo = [segment("I want it", index=0), segment("I want it", index=1)]
    first, second = (moment.id for moment in mine.find("c", echo, "en"))
    assert first != second
    assert [moment.id for moment in mine.find("c", echo, "en")] == [first, second]
    assert mine.find("other", echo, "en")[0].id != first


def test_nothing_said_nothing_found() -> None:
    assert built_in_service().find("c", [], "en") == ()
    assert built_in_service().find("c", [segment("…")], "en") == ()


def test_a_broken_playbook_stops_the_start(tmp_path: Path) -> None:
    write_playbook(tmp_path, playbook_text(rule(colour="red")))
    with pytest.raises(ConfigurationError, match=r"mine\.yaml:\d+: rules\.0\.colour"):
        CoachableService(load_settings(_env_file=None, playbook="mine", playbook_dir=tmp_path))


def test_a_name_that_no_file_has_stops_the_start_unless_it_may_be_a_stored_one(tmp_path: Path) -> None:
    nowhere = load_settings(_env_file=None, playbook="nowhere", playbook_dir=tmp_path)
    with pytest.raises(PlaybookMissing, match="no playbook 'nowhere'"):
        CoachableService(nowhere)
    coachable = CoachableService(nowhere, may_be_stored=True)
    with pytest.raises(PlaybookMissing, match="no playbook 'nowhere'"):
        coachable.find("CALL-1", [segment("I want it.")], "en")
    stored = CompiledPlaybook(playbook(rule()))
    found = coachable.find("CALL-1", [segment("I want it.")], "en", None, stored)
    assert [moment.rule for moment in found] == ["wants_it"]


def test_a_given_playbook_takes_the_place_of_the_default_one(tmp_path: Path) -> None:
    mine = service(tmp_path, rule(id="default_rule"))
    other = CompiledPlaybook(playbook(rule(id="other_rule"), name="mine"))
    said = [segment("I want it.")]
    found = [mine.find("CALL-1", said, "en", None, playbook)[0].rule for playbook in (None, other)]
    assert found == ["default_rule", "other_rule"]


def test_name_and_revision_of_the_playbook(tmp_path: Path) -> None:
    mine = service(tmp_path, rule())
    assert mine.playbook_name == "mine"
    assert len(mine.playbook_revision) == 12
    assert service(tmp_path, rule(tip="Other.")).playbook_revision != mine.playbook_revision


def measured(*lines: Line, duration_s: float = 60, **details: Any) -> tuple[tuple[Segment, ...], Metrics]:
    call = conversation(*lines, duration_s=duration_s, **details)
    return call.segments, measure(call)


def test_moments_in_time_are_moments_like_any_other() -> None:
    segments, metrics = measured(
        Line(CUSTOMER, 0, 3, "What does it cost in the end?"),
        Line(AGENT, 9, 12, "It is nine hundred dollars a month."),
        Line(CUSTOMER, 11, 15, "Stop, that is too expensive for our budget."),
    )
    found = built_in_service().find("c", segments, "en", metrics)
    summary = [(each.type, each.segment, each.speaker, each.role, each.confidence) for each in found]
    assert summary == [
        ("dead_air", None, None, "unknown", 0.9),
        ("slow_response", 1, AGENT, "agent", 0.8),
        ("interruption", 2, CUSTOMER, "customer", 0.9),
        ("objection", 2, CUSTOMER, "customer", found[3].confidence),
    ]
    assert [(each.evidence.start_s, each.evidence.end_s, each.evidence.text) for each in found[:3]] == [
        (3.0, 9.0, ""), (3.0, 9.0, ""), (11.0, 12.0, "Stop, that"),
    ]  # fmt: skip
    assert found[2].id == moment_id("c", "interruption", 11.0, 12.0)
    assert len({each.id for each in found}) == 4
    assert found == built_in_service().find("c", segments, "en", metrics)
    assert found[3:] == built_in_service().find("c", segments, "en")


def test_time_is_the_same_in_every_language() -> None:
    lines = (Line(AGENT, 0, 3, "Hoe gaat het"), Line(CUSTOMER, 10, 12, "goed"))
    segments, metrics = measured(*lines, language="nl")
    assert [each.type for each in built_in_service().find("c", segments, "nl", metrics)] == ["dead_air"]


def test_a_guessed_interruption_is_shown_but_makes_nothing_coachable() -> None:
    lines = (Line(AGENT, 0, 4, plain(9)), Line(CUSTOMER, 3, 6, plain(9)))
    segments, metrics = measured(*lines, separate_channels=False)
    (moment,) = built_in_service().find("c", segments, "en", metrics)
    assert (moment.type, moment.confidence) == ("interruption", 0.405)
    assert built_in_service().judge([moment]) == (False, None)


def test_who_has_no_role_is_not_taken_for_the_agent() -> None:
    lines = (
        Line(AGENT, 0, 100, plain(200)),
        Line(CUSTOMER, 101, 104, "Is it so?"),
        Line(AGENT, 108, 110, "Yes it is"),
    )
    for roles, expected in [(None, ["monologue", "slow_response"]), ({}, [])]:
        segments, metrics = measured(*lines, duration_s=120, roles=roles)
        assert [each.type for each in built_in_service().find("c", segments, "en", metrics)] == expected


def test_of_two_rules_that_find_the_same_the_surer_counts(tmp_path: Path) -> None:
    rules = [
        timed_rule(id=name, confidence=confidence, condition={"dead_air": {"at_least_s": at_least_s}})
        for name, confidence, at_least_s in [("short", 0.6, 4), ("long", 0.9, 8), ("other", 0.3, 4)]
    ]
    segments, metrics = measured(
        Line(AGENT, 0, 1, "a"), Line(AGENT, 6, 7, "b"), Line(AGENT, 20, 21, "c"), duration_s=90
    )
    found = service(tmp_path, *rules).find("c", segments, "en", metrics)
    assert [(each.rule, each.evidence.start_s) for each in found] == [("short", 1.0), ("long", 7.0)]


def test_rules_may_ask_for_what_was_measured_and_felt(tmp_path: Path) -> None:
    """The agent answers an unhappy customer's price objection within half a second."""
    price = rule(
        id="price", type="objection", subtype="price",
        condition={"phrases": ["too expensive"], "sentiment": {"below": -1}},
    )  # fmt: skip
    hasty = rule(
        id="hasty", type="pressure", role="agent",
        condition={"after": {"type": "objection", "subtype": "price", "by": "customer", "within_s": 0.5}},
    )  # fmt: skip
    call = conversation(
        Line(CUSTOMER, 0, 4, "that is too expensive for us", (0.1, 0.6)),
        Line(AGENT, 4.2, 8, "you would be crazy not to"),
        Line(CUSTOMER, 10, 12, "it is too expensive", (0.6, 0.1)),
        Line(AGENT, 12.1, 14, "well then"),
        duration_s=15,
    )
    moments = service(tmp_path, price, hasty).find(
        "c", call.segments, "en", measure(call), sentiments=call.sentiments
    )
    assert [(moment.rule, moment.segment) for moment in moments] == [("price", 0), ("hasty", 1)]
    assert moments[1].evidence.text == "you would be crazy not to"
    assert service(tmp_path, price, hasty).find("c", call.segments, "en", measure(call)) == ()


def test_findings_come_before_they_are_moments(tmp_path: Path) -> None:
    rules = [rule(id=f"r{number}", confidence=confidence) for number, confidence in enumerate((0.5, 0.9))]
    mine = service(tmp_path, *rules)
    told = mine.findings([segment("no", "agent"), segment("i want it", "unknown", 1)], "en")
    assert [[(one.rule.id, round(one.confidence, 2)) for one in found] for found in told] == [
        [], [("r0", 0.4), ("r1", 0.72)],
    ]  # fmt: skip
    assert {(one.playbook, one.revision) for one in told[1]} == {("mine", mine.playbook_revision)}
    assert mine.findings([segment("i want it")], "xx") == [[]]


class TestReadings:
    """Moments in words by rules and a reader together."""

    CALIBRATION = Calibration(
        "r1",
        thresholds=dict.fromkeys(MomentType, 0.5),
        weights=dict.fromkeys(MomentType, MergeWeights(0.0, 1.0, 0.0, 0.0)),
        rules=frozenset({"wants_it"}),
        floor=0.2,
    )

    def find(
        self, folder: Path, said: str, subtypes: dict[str, float] | None = None, **types: float
    ) -> dict[str, Moment]:
        write_playbook(folder, playbook_text(rule()))
        settings = load_settings(_env_file=None, playbook="mine", playbook_dir=folder)
        service = CoachableService(settings, {"r1": self.CALIBRATION})
        chances = {kind.value: types.get(kind, 0.01) for kind in MomentType}
        reading = Reading("r1", "customer", chances, subtypes or {"price": 1.0})
        found = service.find("c", [segment(said)], "en", readings=(reading,))
        assert len({moment.id for moment in found}) == len(found)
        return {moment.type: moment for moment in found}

    def test_the_reader_finds_what_no_rule_does(self, tmp_path: Path) -> None:
        found = self.find(tmp_path, "I want it. Hmm.", buying_signal=0.9, confusion=0.8)
        assert {kind: moment.source for kind, moment in found.items()} == {
            "buying_signal": "rule+classifier",
            "confusion": "classifier",
        }
        assert found["confusion"].id.startswith("m_")

    def test_stalling_with_a_sure_reason_is_the_objection_alone(self, tmp_path: Path) -> None:
        assert set(self.find(tmp_path, "hm", hesitation=0.8, objection=0.7)) == {"objection"}

    def test_to_prefer_a_competitor_is_to_mention_it(self, tmp_path: Path) -> None:
        found = self.find(tmp_path, "hm", {"competitor": 0.9, "price": 0.1}, objection=0.7)
        assert set(found) == {"objection", "competitor_mention"}
        assert found["competitor_mention"].source == "classifier"

    def test_languages_without_rules_are_read_all_the_same(self, tmp_path: Path) -> None:
        write_playbook(tmp_path, playbook_text(rule()))
        settings = load_settings(_env_file=None, playbook="mine", playbook_dir=tmp_path)
        reading = Reading("r1", "customer", {"churn_risk": 0.9}, {})
        service = CoachableService(settings, {"r1": self.CALIBRATION})
        [moment] = service.find("c", [segment("adiós")], "es", readings=(reading,))
        assert (moment.type, moment.evidence.text) == ("churn_risk", "adiós")
