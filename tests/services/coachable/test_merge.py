"""Rules and the reader put together: confidences, sources, subtypes, roles, and rules of one's own."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from app.schemas.moment import Moment, MomentType, ObjectionSubtype
from app.schemas.reading import Calibration, MergeWeights, Reading
from app.schemas.transcript import Segment
from app.services.coachable.advice import load_advice
from app.services.coachable.evidence import evidence_of_span
from app.services.coachable.merge import CLASSIFIER, Merger
from tests.services.coachable.factories import segment

TEXT = "That sounds great, but you would have to find me another zero in the bank."
CLAUSE = "but you would have to find me another zero in the bank."
WEIGHTS = MergeWeights(a=-0.5, b=0.8, c=1.0, d=0.5)
CALIBRATION = Calibration(
    "r1",
    thresholds={**dict.fromkeys(MomentType, 0.5), MomentType.NEXT_STEP: 0.9},
    weights=dict.fromkeys(MomentType, WEIGHTS),
    rules=frozenset({"known", "known_too"}),
    floor=0.2,
)
MERGER = Merger({"r1": CALIBRATION}, load_advice())


def reading(role: str = "customer", subtypes: dict[str, float] | None = None, **types: float) -> Reading:
    clause = (TEXT.index(CLAUSE), len(TEXT))
    return Reading(
        "r1",
        role,
        {kind.value: types.get(kind, 0.01) for kind in MomentType},
        {kind.value: (subtypes or {"price": 0.9}).get(kind, 0.01) for kind in ObjectionSubtype},
        clauses=dict.fromkeys(types, clause),
    )


def ruled(said: Segment, rule: str, kind: str, confidence: float, subtype: str | None = None) -> Moment:
    words = "find me another zero"
    start = said.text.index(words)
    return Moment(
        "", kind, subtype, confidence, "rule", rule, "Why.", "Tip.", said.index, said.speaker, said.role,
        evidence_of_span(said, start, start + len(words)),
    )  # fmt: skip


Found = tuple[str, str, float, str | None]
"""Rule, type, confidence, subtype."""


def merge(read: Reading | None, *rules: Found, role: str = "customer") -> list[Moment]:
    said = segment(TEXT, role)
    return MERGER.merge(said, [ruled(said, *rule[:3], subtype=rule[3]) for rule in rules], read)


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def logit(chance: float) -> float:
    return math.log(chance / (1 - chance))


def test_what_the_reader_alone_found_shows_the_clause_that_carries_it() -> None:
    [moment] = merge(reading(objection=0.9))
    assert (moment.type, moment.subtype, moment.source, moment.rule) == (
        "objection", "price", "classifier", CLASSIFIER,
    )  # fmt: skip
    assert moment.evidence.text == CLAUSE
    assert TEXT[moment.evidence.start_char : moment.evidence.end_char] == CLAUSE
    assert moment.confidence == pytest.approx(sigmoid(-0.5 + 0.8 * logit(0.9)), abs=1e-4)
    assert moment.why
    assert moment.tip
    assert moment.id == ""


def test_what_the_reader_does_not_say_is_no_moment() -> None:
    assert merge(reading(objection=0.49)) == []
    assert merge(reading(next_step=0.89)) == []
    assert [moment.type for moment in merge(reading(next_step=0.9))] == ["next_step"]


def test_both_together_by_the_formula_with_the_words_of_the_rule() -> None:
    [moment] = merge(reading(objection=0.9), ("known", "objection", 0.8, "price"))
    assert moment.source == "rule+classifier"
    assert (moment.rule, moment.why, moment.evidence.text) == ("known", "Why.", "find me another zero")
    assert moment.confidence == pytest.approx(sigmoid(-0.5 + 0.8 * logit(0.9) + 0.8 + 0.5), abs=1e-4)


def test_a_rule_that_the_reader_contradicts_is_believed_less_and_at_last_not_at_all() -> None:
    found = {
        chance: merge(reading(hesitation=chance), ("known", "hesitation", 0.8, None))
        for chance in (0.45, 0.2, 0.01)
    }
    assert [len(moments) for moments in found.values()] == [1, 1, 0]
    [doubted], [denied] = found[0.45], found[0.2]
    assert (doubted.source, denied.source) == ("rule", "rule")
    assert doubted.confidence > denied.confidence >= 0.2


def test_extreme_chances_are_no_certainty() -> None:
    [moment] = merge(reading(objection=1.0), ("known", "objection", 1.0, "price"))
    assert 0.99 < moment.confidence < 1


class TestRulesThatTheFitDoesNotKnow:
    """Rules of a user's own playbook."""

    def test_they_keep_their_own_confidence_where_the_reader_is_silent(self) -> None:
        [moment] = merge(reading(), ("own", "churn_risk", 0.15, None))
        assert (moment.confidence, moment.source, moment.rule) == (0.15, "rule", "own")

    def test_they_gain_by_its_agreement(self) -> None:
        [moment] = [
            m for m in merge(reading(churn_risk=0.9), ("own", "churn_risk", 0.6, None)) if m.rule == "own"
        ]
        alone = sigmoid(-0.5 + 0.8 * logit(0.9))
        assert moment.confidence == pytest.approx(1 - 0.4 * (1 - alone), abs=1e-4)
        assert moment.source == "rule+classifier"

    def test_what_the_reader_says_besides_is_never_surer_than_they(self) -> None:
        found = merge(reading(churn_risk=0.99), ("own", "churn_risk", 0.1, None))
        assert max(found, key=lambda moment: moment.confidence).rule == "own"

    def test_they_do_not_alter_what_known_rules_are_worth(self) -> None:
        known, own = ("known", "hesitation", 0.8, None), ("own", "hesitation", 0.9, None)
        both = {moment.rule: moment for moment in merge(reading(hesitation=0.4), known, own)}
        [alone] = merge(reading(hesitation=0.4), known)
        assert both["known"] == alone
        assert both["own"].confidence == 0.9

    def test_their_subtype_is_theirs(self) -> None:
        found = merge(reading(objection=0.95), ("own", "objection", 0.5, "trust"))
        assert {(moment.subtype, moment.rule) for moment in found} == {
            ("trust", "own"),
            ("price", CLASSIFIER),
        }


class TestSubtypes:
    def test_a_rule_is_right_where_the_reader_is_unsure(self) -> None:
        read = reading(objection=0.9, subtypes={"price": 0.45, "timing": 0.4})
        [moment] = merge(read, ("known", "objection", 0.3, "timing"))
        assert (moment.subtype, moment.evidence.text) == ("timing", "find me another zero")

    def test_a_sure_reader_overrules_a_weak_rule(self) -> None:
        read = reading(objection=0.9, subtypes={"price": 0.95})
        [moment] = merge(read, ("known", "objection", 0.6, "timing"))
        assert (moment.subtype, moment.source, moment.rule) == ("price", "rule+classifier", "known")
        assert moment.evidence.text == CLAUSE
        assert moment.why == load_advice()["objection", "price"].why

    def test_a_strong_rule_stands(self) -> None:
        read = reading(objection=0.9, subtypes={"price": 0.85})
        [moment] = merge(read, ("known", "objection", 0.9, "timing"))
        assert moment.subtype == "timing"

    def test_a_reader_that_sees_no_objection_has_no_say_in_its_kind(self) -> None:
        read = reading(objection=0.4, subtypes={"price": 0.99})
        [moment] = merge(read, ("known", "objection", 0.6, "timing"))
        assert (moment.subtype, moment.source) == ("timing", "rule")

    def test_of_two_rules_the_one_that_the_reader_shares_is_surest(self) -> None:
        read = reading(objection=0.9, subtypes={"price": 0.6, "timing": 0.3})
        rules = ("known", "objection", 0.75, "timing"), ("known_too", "objection", 0.7, "price")
        first, second = merge(read, *rules)
        assert (first.subtype, second.subtype) == ("price", "timing")
        assert first.confidence > second.confidence > 0.5
        only_price = reading(objection=0.9, subtypes={"price": 0.98})
        assert [moment.subtype for moment in merge(only_price, *rules)] == ["price"]


@pytest.mark.parametrize(
    "read",
    [
        None,
        reading(role="agent", hesitation=0.01),
        reading(role="unknown", hesitation=0.01),
        replace(reading(hesitation=0.01), revision="r0"),
    ],
)
def test_a_reading_for_another_role_or_by_another_reader_counts_for_nothing(read: Reading | None) -> None:
    [moment] = merge(read, ("known", "hesitation", 0.8, None))
    assert (moment.confidence, moment.source) == (0.8, "rule")


def test_nobody_shows_what_is_about_the_other_party() -> None:
    read = reading(role="agent", objection=0.99, empathy=0.99)
    assert [moment.type for moment in merge(read, role="agent")] == ["empathy"]


def test_an_older_reading_that_does_not_know_a_type_leaves_the_rule_alone() -> None:
    read = reading(objection=0.01)
    older = replace(read, types={kind: p for kind, p in read.types.items() if kind != "hesitation"})
    [moment] = merge(older, ("known", "hesitation", 0.8, None))
    assert moment.confidence == 0.8


def test_there_is_advice_for_every_kind() -> None:
    kinds = {(kind.value, None) for kind in MomentType} - {("objection", None)}
    assert set(load_advice()) == kinds | {("objection", subtype.value) for subtype in ObjectionSubtype}
    for advice in load_advice().values():
        assert advice.why.endswith(".")
        assert advice.tip.endswith(".")
        assert len(advice.tip) <= 300
