"""Conditions beyond words: where, in which sequence, what was measured, nested; and what they show."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.exceptions import ConfigurationError
from app.services.coachable.playbook import Said
from app.services.coachable.rules import RuleSet
from tests.services.coachable.calls import findings_in, said, view_of
from tests.services.coachable.factories import find_in_text, found, playbook, rule, timed_rule

THE = {"phrases": ["the"]}


def holding(condition: dict[str, object], *parts: Said, separate_channels: bool = True) -> list[int]:
    """Positions of the segments in which a rule of anyone's with this condition holds."""
    rules = RuleSet(playbook(rule(role="anyone", condition=condition)), "en")
    view = view_of(parts, separate_channels)
    return [position for position, findings in enumerate(rules.find(view)) if findings]


def ten_tens() -> list[Said]:
    """Ten segments, each from the first to the ninth second of its ten."""
    return [
        said("agent" if n % 2 else "customer", "i want it now", n * 10.0, n * 10 + 9.0) for n in range(10)
    ]


@pytest.mark.parametrize(
    ("place", "positions"),
    [
        ({"first_s": 10}, [0]),
        ({"first_s": 10.5}, [0, 1]),
        ({"last_s": 9}, [9]),
        ({"last_s": 10.5}, [8, 9]),
        ({"first_percent": 20}, [0, 1]),
        ({"last_percent": 12}, [8, 9]),
        ({"first_percent": 50, "last_percent": 60}, [4]),
        ({"last_s": 1000}, list(range(10))),
    ],
)
def test_place_is_overlap_with_a_part_of_the_call(place: dict[str, float], positions: list[int]) -> None:
    assert holding({"place": place}, *ten_tens()) == positions
    assert holding({"place": place, "phrases": ["want it"]}, *ten_tens()) == positions
    assert holding({"place": place, "phrases": ["want them"]}, *ten_tens()) == []


PRICE = said("customer", "that is too expensive", 10, 12)


def price_then(condition: dict[str, object], *parts: Said, **changes: object) -> list[int]:
    """Positions at which a rule holds that refers to one about the customer's price objection."""
    price = rule(id="price", type="objection", subtype="price", condition={"phrases": ["too expensive"]})
    asking = rule(id="asking", role="anyone", type="empathy", condition=condition, **changes)
    findings = findings_in(RuleSet(playbook(price, asking), "en"), *parts)
    return [finding.position for finding in findings if finding.rule.id == "asking"]


@pytest.mark.parametrize(
    ("after", "start_s", "holds"),
    [
        ({"rule": "price"}, 90.0, True),
        ({"rule": "price", "within_s": 0.5}, 12.5, True),
        ({"rule": "price", "within_s": 0.5}, 12.6, False),
        ({"rule": "price", "within_s": 0.5}, 11.0, True),
        ({"rule": "price", "within_s": 0}, 11.0, True),
        ({"type": "objection", "subtype": "price", "by": "customer", "within_s": 0.5}, 12.4, True),
        ({"type": "objection", "by": "customer"}, 13.0, True),
        ({"rule": "price", "by": "agent"}, 13.0, False),
        ({"rule": "price", "by": "other"}, 13.0, True),
        ({"rule": "price", "by": "same"}, 13.0, False),
    ],
)
def test_after_another_rules_match(after: dict[str, object], start_s: float, holds: bool) -> None:
    answer = said("agent", "i hear you", start_s, start_s + 2)
    assert price_then({"after": after}, PRICE, answer) == [1] * holds
    assert price_then({"after": after, "phrases": ["hear you"]}, PRICE, answer) == [1] * holds
    assert price_then({"after": after, "phrases": ["feel you"]}, PRICE, answer) == []


def test_after_goes_on_to_the_end_and_takes_the_nearest() -> None:
    parts = [
        PRICE,
        *(said("agent", "i hear you", at, at + 1.0) for at in (14.0, 16.0)),
        said("customer", "too expensive", 50, 51),
        said("agent", "well", 52, 53),
    ]
    assert price_then({"after": {"rule": "price"}}, *parts) == [1, 2, 3, 4]
    assert price_then({"after": {"rule": "price", "within_s": 2}}, *parts) == [1, 4]


@pytest.mark.parametrize(
    ("before", "end_s", "holds"),
    [
        ({"rule": "price"}, 1.0, True),
        ({"rule": "price", "within_s": 2}, 8.0, True),
        ({"rule": "price", "within_s": 2}, 7.5, False),
        ({"rule": "price", "by": "agent"}, 8.0, False),
        ({"rule": "price", "by": "other", "within_s": 2}, 8.5, True),
        ({"rule": "price", "by": "same", "within_s": 2}, 8.5, False),
    ],
)
def test_before_another_rules_match(before: dict[str, object], end_s: float, holds: bool) -> None:
    offer = said("agent", "it is ninety a month", end_s - 1, end_s)
    assert price_then({"before": before}, offer, PRICE) == [0] * holds


def test_words_of_one_segment_stand_in_their_own_order() -> None:
    both = said("customer", "it is too expensive but i like it", 10, 13)
    swapped = said("customer", "i like it but it is too expensive", 10, 13)
    for by in ("anyone", "customer", "same"):
        after = {"phrases": ["like it"], "after": {"rule": "price", "by": by}}
        before = {"phrases": ["like it"], "before": {"rule": "price", "by": by}}
        assert (price_then(after, both), price_then(after, swapped)) == ([0], [])
        assert (price_then(before, both), price_then(before, swapped)) == ([], [0])
    assert price_then({"phrases": ["like it"], "after": {"rule": "price", "by": "other"}}, both) == []


def test_a_speaker_of_unknown_role_may_be_who_is_meant() -> None:
    unknown = said("unknown", "too expensive", 10, 12)
    assert price_then(
        {"after": {"rule": "price", "by": "customer"}}, unknown, said("agent", "ah well", 13, 14)
    ) == [1]


def test_after_a_moment_in_time() -> None:
    asking = rule(role="anyone", condition={"after": {"type": "dead_air", "within_s": 1}})
    silent = RuleSet(playbook(asking, timed_rule()), "en")
    parts = (said("agent", "so", 0, 1), said("customer", "hm yes", 8, 9), said("agent", "right", 9.5, 10))
    assert [finding.position for finding in findings_in(silent, *parts)] == [1]
    by_agent = rule(role="anyone", condition={"after": {"type": "dead_air", "by": "agent"}})
    assert findings_in(RuleSet(playbook(by_agent, timed_rule()), "en"), *parts) == []
    assert find_in_text(silent, "so") == []


def test_before_a_moment_in_time_of_a_certain_speaker() -> None:
    parts = (
        said("customer", "well", 0, 1),
        said("agent", "word " * 300, 2, 100),
        said("customer", "yes", 101, 102),
    )
    for by, positions in (("agent", [0]), ("customer", []), ("other", [0]), ("same", [])):
        asking = rule(role="anyone", condition={"before": {"rule": "talks", "by": by, "within_s": 1.5}})
        talks = timed_rule(id="talks", type="monologue", condition={"monologue": {}})
        findings = findings_in(RuleSet(playbook(asking, talks), "en"), *parts)
        assert [finding.position for finding in findings] == positions


def test_rules_wait_for_rules_that_wait() -> None:
    chain = [rule(id="r0", condition={"phrases": ["zero"]})]
    chain += [
        rule(id=f"r{n}", condition={"phrases": ["go"], "after": {"rule": f"r{n - 1}", "within_s": 1}})
        for n in range(1, 6)
    ]
    rules = RuleSet(playbook(*reversed(chain)), "en")
    parts = [said("customer", "zero"), *(said("customer", "go") for _ in range(5))]
    assert [(f.position, f.rule.id) for f in findings_in(rules, *parts)] == [(n, f"r{n}") for n in range(6)]


@pytest.mark.parametrize(
    ("condition", "positions"),
    [
        ({"sentiment": {"below": -2}}, [1]),
        ({"sentiment": {"above": 1}}, [2]),
        ({"sentiment": {"above": -4, "below": 0.5}}, [0, 1]),
        ({"not": {"sentiment": {"below": -2}}}, [0, 2, 3]),
    ],
)
def test_sentiment_of_a_segment(condition: dict[str, object], positions: list[int]) -> None:
    scores: list[dict[str, Any]] = [{"sentiment": 0.0}, {"sentiment": -3.0}, {"sentiment": 4.0}, {}]
    assert holding(condition, *(said("agent", "so", **score) for score in scores)) == positions


@pytest.mark.parametrize(
    ("condition", "positions"),
    [
        ({"pace": {"over_words_per_minute": 200}}, [0]),
        ({"pace": {"under_words_per_minute": 100}}, [1]),
        ({"pace": {"over_words_per_minute": 200, "at_least_s": 1}}, [0, 2]),
        ({"pace": {"over_words_per_minute": 55, "under_words_per_minute": 100}}, [1]),
    ],
)
def test_pace_within_a_segment(condition: dict[str, object], positions: list[int]) -> None:
    parts = (
        said("agent", "word " * 40, 0, 10),
        said("agent", "word " * 10, 20, 30),
        said("agent", "word " * 10, 40, 42),
    )
    assert holding(condition, *parts) == positions


@pytest.mark.parametrize(
    ("condition", "positions"),
    [
        ({"silence": {"before_at_least_s": 4}}, [1]),
        ({"silence": {"before_at_least_s": 4.5}}, []),
        ({"silence": {"after_at_least_s": 4}}, [0]),
        ({"silence": {"before_at_least_s": 1}}, [1, 3]),
        ({"silence": {"before_at_least_s": 1, "after_at_least_s": 1}}, []),
    ],
)
def test_silence_around_a_segment(condition: dict[str, object], positions: list[int]) -> None:
    parts = (
        said("agent", "one two", 3, 5),
        said("customer", "three", 9, 12),
        said("agent", "four", 11, 13),
        said("agent", "five", 14, 15),
    )
    assert holding(condition, *parts) == positions


@pytest.mark.parametrize(("by", "positions"), [("speaker", [1]), ("other", [0]), ("either", [0, 1])])
def test_interruption_within_a_segment(by: str, positions: list[int]) -> None:
    parts = (
        said("customer", "word " * 10, 0, 5),
        said("agent", "let me stop you right there", 4, 8),
        said("agent", "so", 9, 10),
    )
    condition = {"interruption": {"by": by, "overlap_at_least_s": 0.5}}
    assert holding(condition, *parts) == positions
    assert holding({"interruption": {"by": by, "overlap_at_least_s": 2}}, *parts) == []
    assert holding(condition, *parts, separate_channels=False) == []


def test_part_of_a_monologue() -> None:
    parts = (
        said("agent", "word " * 100, 0, 50),
        said("customer", "yes", 50.5, 51),
        said("agent", "word " * 100, 51.5, 99),
        said("customer", "word " * 10, 100, 104),
        said("agent", "so", 105, 106),
    )
    assert holding({"monologue": {}}, *parts) == [0, 2]
    assert holding({"monologue": {"longer_than_s": 120}}, *parts) == []


@pytest.mark.parametrize(
    ("condition", "positions"),
    [
        ({"loudness": {"louder_by_db": 10}}, [2]),
        ({"loudness": {"quieter_by_db": 6}}, [1]),
        ({"loudness": {"louder_by_db": 10, "quieter_by_db": 6}}, []),
    ],
)
def test_loudness_against_the_speakers_own_median(condition: dict[str, object], positions: list[int]) -> None:
    levels = (-20.0, -30.0, -5.0, -20.0, -20.0)
    parts = [said("agent", "word " * 10, n * 6, n * 6 + 4, dbfs=level) for n, level in enumerate(levels)]
    assert holding(condition, *parts) == positions


@pytest.mark.parametrize(
    "condition",
    [
        {"sentiment": {"below": 5}},
        {"pace": {"over_words_per_minute": 1}},
        {"silence": {"before_at_least_s": 0.1}},
        {"interruption": {}},
        {"monologue": {}},
        {"loudness": {"quieter_by_db": 0.1}},
        {"after": {"rule": "silent"}},
    ],
)
def test_what_was_not_measured_is_false_and_its_opposite_true(condition: dict[str, object]) -> None:
    mine = RuleSet(playbook(rule(condition=condition), timed_rule()), "en")
    assert find_in_text(mine, "i want it") == []
    opposite = RuleSet(playbook(rule(condition={"not": condition}), timed_rule()), "en")
    assert [(f.start, f.end) for f in find_in_text(opposite, "i want it")] == [(0, 9)]


@pytest.mark.parametrize(
    ("condition", "text", "shown"),
    [
        ({"all": [{"phrases": ["price"]}, {"phrases": ["high"]}]}, "the price is high", ["price is high"]),
        ({"all": [{"phrases": ["price"]}, {"phrases": ["high"]}]}, "the price is fine", []),
        ({"any": [{"phrases": ["price"]}, {"phrases": ["high"]}]}, "the price is fine", ["price"]),
        ({"any": [{"phrases": ["price"]}, {"phrases": ["high"]}]}, "the pace is fine", []),
        ({"phrases": ["price"], "not": {"phrases": ["high"]}}, "the price is fine", ["price"]),
        ({"phrases": ["price"], "not": {"phrases": ["high"]}}, "the price is high", []),
        ({"not": {"phrases": ["high"]}}, "the price is fine", ["the price is fine"]),
        ({"not": {"not": {"phrases": ["high"]}}}, "it is high", ["it is high"]),
        ({"any": [{"all": [THE, {"phrases": ["no"]}]}, {"phrases": ["fine"]}]}, "the tea is fine", ["fine"]),
        ({"any": [{"place": {"first_s": 1}}, {"phrases": ["fine"]}]}, "it is", ["it is"]),
        ({"phrases": ["it"], "all": [{"any": [THE, {"regex": ["f.ne"]}]}]}, "it was fine", ["it was fine"]),
    ],
)  # fmt: skip
def test_conditions_nest_and_show_the_words_that_make_them_hold(
    condition: dict[str, object], text: str, shown: list[str]
) -> None:
    assert found(text, **condition) == shown


@pytest.mark.parametrize(
    ("condition", "place", "reason"),
    [
        ({}, "condition", "says nothing: name phrases"),
        ({"unless": ["no"]}, "condition", "unless: needs phrases or regex beside it"),
        ({"at_least": 2, "all": [{"phrases": ["a"]}]}, "condition", "at_least: needs phrases or regex"),
        ({"all": []}, "condition.all", "at least 1 item"),
        ({"all": [{"phrase": ["a"]}]}, "condition.all.0.phrase", "Extra inputs"),
        ({"not": {"any": [{"phrases": ["("]}]}}, "condition.not.any.0.phrases.0", "empty"),
        ({"place": {}}, "condition.place", "give at least one of first_s, last_s"),
        ({"place": {"first_percent": 120}}, "condition.place.first_percent", "less than or equal to 100"),
        ({"pace": {"at_least_s": 3}}, "condition.pace", "give at least one of over_words_per_minute"),
        ({"sentiment": {"below": "bad"}}, "condition.sentiment.below", "valid number"),
        ({"interruption": {"by": "agent"}}, "condition.interruption.by", "'speaker', 'other' or 'either'"),
        ({"after": {}}, "condition.after", "name either a rule or a type"),
        ({"after": {"rule": "a", "type": "empathy"}}, "condition.after", "name either a rule or a type"),
        ({"after": {"type": "empathy", "subtype": "price"}}, "condition.after", "only the type objection"),
        ({"after": {"rule": "nobody"}}, "condition.after", "there is no other rule 'nobody' for 'en'"),
        ({"before": {"type": "objection", "subtype": "need"}}, "condition.before", "rule 'objection/need'"),
        ({"after": {"type": "buying_signal"}}, "condition.after", "there is no other rule 'buying_signal'"),
        ({"after": {"rule": "wants_it"}}, "condition", "rules wait for one another: wants_it -> wants_it"),
        ({"phrases": ["a b"], "order": "any", "within_words": 5}, "condition", "takes 2 to 8 phrases"),
        ({"phrases": ["a", "b"], "order": "any"}, "condition", "needs within_words"),
        ({"phrases": ["a"], "within_words": 5}, "condition", "within_words is for `order: any`"),
        ({"phrases": ["a"], "negated": "never"}, "condition.negated", "'either', 'excluded' or 'required'"),
    ],
)  # fmt: skip
def test_a_broken_condition_names_its_place_and_reason(
    condition: dict[str, object], place: str, reason: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        playbook(rule(condition=condition))
    assert f": rules.0.{place}: " in caught.value.detail
    assert reason in caught.value.detail


def test_rules_that_wait_for_one_another_are_refused() -> None:
    circle = [rule(id=f"r{n}", condition={"after": {"rule": f"r{(n + 1) % 3}"}}) for n in range(3)]
    with pytest.raises(ConfigurationError, match=r"rules\.0\.condition: .* r0 -> r1 -> r2 -> r0"):
        playbook(*circle)
    twins = [rule(id=name, condition={"after": {"type": "buying_signal"}}) for name in ("one", "two")]
    with pytest.raises(ConfigurationError, match="one -> two -> one"):
        playbook(*twins)


def nested(depth: int) -> dict[str, object]:
    condition: dict[str, object] = {"phrases": ["a"]}
    for _ in range(depth - 1):
        condition = {"not": condition}
    return condition


def test_nesting_has_a_limit() -> None:
    assert found("b", **nested(5)) == []
    assert found("a", **nested(5)) == ["a"]
    with pytest.raises(ConfigurationError, match=r"condition\.not\.not\.not\.not\.not: .*more than 5 deep"):
        found("a", **nested(6))
    wide = {"all": [{"any": [{"phrases": ["a"]} for _ in range(20)]} for _ in range(3)]}
    with pytest.raises(ConfigurationError, match="more than 60 conditions"):
        found("a", **wide)


def test_a_finding_names_its_playbook_and_revision() -> None:
    mine = playbook()
    (finding,) = find_in_text(RuleSet(mine, "en"), "I want it")
    assert (finding.playbook, finding.revision, finding.rule.id) == ("mine", mine.revision, "wants_it")


def test_the_role_of_a_rule_holds_for_measured_conditions_too() -> None:
    rules = RuleSet(playbook(rule(condition={"place": {"first_s": 60}})), "en")
    parts = (said("agent", "so", 0, 1), said("customer", "so", 2, 3), said("unknown", "so", 4, 5))
    found_ = [(f.position, round(f.confidence, 2)) for f in findings_in(rules, *parts)]
    assert found_ == [(1, 0.8), (2, 0.64)]
