"""The built-in playbooks: every example of every rule, and that every type has rules."""

from __future__ import annotations

import pytest

from app.schemas.moment import MomentType, ObjectionSubtype
from app.services.coachable.loader import BUILT_IN_FOLDER
from app.services.coachable.playbook import Rule
from app.services.coachable.rules import RuleSet
from tests.services.coachable.factories import (
    built_in_playbook,
    built_in_rules,
    failing_examples,
    playbook,
    rule,
)

NAMES = sorted(path.stem for path in BUILT_IN_FOLDER.glob("*.yaml"))
RULES = [
    pytest.param(name, rule, language, id=f"{name}:{rule.id}:{language}")
    for name in NAMES
    for rule in built_in_playbook(name).rules
    for language in rule.languages
]


@pytest.mark.parametrize(("name", "rule", "language"), RULES)
def test_examples_do_what_they_are_there_to_show(name: str, rule: Rule, language: str) -> None:
    assert failing_examples(built_in_rules(name, language), rule) == []


def test_an_example_that_fails_is_reported() -> None:
    broken = playbook(rule(match=["I want it.", "Not this."], no_match=["No.", "But i want it."]))
    assert failing_examples(RuleSet(broken, "en"), broken.rules[0]) == [
        "match: Not this.", "no_match: But i want it.",
    ]  # fmt: skip


def test_every_type_and_subtype_has_a_rule() -> None:
    rules = built_in_playbook().rules
    assert {rule.type for rule in rules} == set(MomentType)
    assert {rule.subtype for rule in rules if rule.subtype} == set(ObjectionSubtype)


def test_every_rule_has_four_examples_each_way() -> None:
    for each in built_in_playbook().rules:
        assert len(each.match) >= 4, each.id
        assert len(each.no_match) >= 4, each.id
