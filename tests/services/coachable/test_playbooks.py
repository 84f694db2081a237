"""The built-in playbooks: every example of every rule, and that every type has rules."""

from __future__ import annotations

import pytest

from app.schemas.moment import MomentType, ObjectionSubtype, TimedMomentType
from app.services.coachable.loader import BUILT_IN_FOLDER, load_playbook
from app.services.coachable.playbook import TimedRule, WordsRule
from app.services.coachable.rules import RuleSet
from tests.services.coachable.factories import (
    built_in_playbook,
    built_in_rules,
    failing_examples,
    playbook,
    rule,
)

NAMES = sorted(path.stem for path in BUILT_IN_FOLDER.glob("*.yaml") if "." not in path.stem)
RULES = [
    pytest.param(name, rule, language, id=f"{name}:{rule.id}:{language}")
    for name in NAMES
    for language in sorted(built_in_playbook(name).languages)
    for rule, _ in built_in_playbook(name).rules_in(language)
]


@pytest.mark.parametrize("name", NAMES)
def test_every_file_of_a_built_in_playbook_can_be_read(name: str) -> None:
    """With all checks, of which a start leaves out those that read every phrase."""
    assert load_playbook(name, BUILT_IN_FOLDER) == built_in_playbook(name)
    files = {path.suffixes[0][1:] for path in BUILT_IN_FOLDER.glob(f"{name}.*.yaml")}
    assert files <= built_in_playbook(name).languages


@pytest.mark.parametrize(("name", "rule", "language"), RULES)
def test_examples_do_what_they_are_there_to_show(name: str, rule: WordsRule, language: str) -> None:
    assert failing_examples(built_in_rules(name, language), rule) == []


def test_an_example_that_fails_is_reported() -> None:
    broken = playbook(rule(match=["I want it.", "Not this."], no_match=["No.", "But i want it."]))
    assert failing_examples(RuleSet(broken, "en"), broken.words_rules[0]) == [
        "match: Not this.", "no_match: But i want it.",
    ]  # fmt: skip


def test_every_type_and_subtype_has_a_rule() -> None:
    rules = built_in_playbook().words_rules
    assert {rule.type for rule in rules} == set(MomentType)
    assert {rule.subtype for rule in rules if rule.subtype} == set(ObjectionSubtype)


def test_every_rule_has_four_examples_each_way() -> None:
    for each in built_in_playbook().words_rules:
        assert len(each.match) >= 4, each.id
        assert len(each.no_match) >= 4, each.id


def test_every_signal_in_time_has_a_rule_with_the_published_thresholds() -> None:
    rules = built_in_playbook().timed_rules
    assert {rule.type: (rule.role, rule.condition.model_dump()) for rule in rules} == {
        TimedMomentType.MONOLOGUE: (
            "agent", {"monologue": {"longer_than_s": 90, "interjection_under_s": 2}}
        ),
        TimedMomentType.INTERRUPTION: ("anyone", {"interruption": {"overlap_at_least_s": 0.3}}),
        TimedMomentType.DEAD_AIR: ("anyone", {"dead_air": {"at_least_s": 5}}),
        TimedMomentType.FAST_PACE: (
            "anyone", {"fast_pace": {"over_words_per_minute": 200, "at_least_s": 15}}
        ),
        TimedMomentType.SLOW_RESPONSE: ("agent", {"slow_response": {"longer_than_s": 3}}),
    }  # fmt: skip
    assert len(rules) == len(TimedMomentType)


@pytest.mark.parametrize("rule", built_in_playbook().timed_rules, ids=lambda rule: rule.id)
def test_thresholds_that_are_not_given_are_the_published_ones(rule: TimedRule) -> None:
    assert type(rule.condition.detector)() == rule.condition.detector
