"""Every example of docs/playbooks.md can be loaded, and its rules do what their own examples say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from app.services.coachable.conditions import Condition
from app.services.coachable.loader import parse_playbook
from app.services.coachable.rules import RuleSet
from tests.services.coachable.factories import failing_examples, playbook, rule

DOCUMENT = Path(__file__).parents[3] / "docs" / "playbooks.md"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def as_playbook(block: str) -> str:
    if block.startswith("name:"):
        return block
    return f"name: mine\nversion: '1'\nrules:\n{block}"


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: re.findall(r"id: (\w+)", block)[0])
def test_the_rules_of_an_example_do_what_they_say(block: str) -> None:
    mine = parse_playbook(as_playbook(block), "docs/playbooks.md", "mine")
    rules = RuleSet(mine, "en")
    for each in mine.words_rules:
        assert failing_examples(rules, each) == []


def test_every_condition_has_an_example() -> None:
    written = {
        name
        for block in BLOCKS
        for each in parse_playbook(as_playbook(block), "docs/playbooks.md", "mine").words_rules
        for condition in each.condition.walk()
        for name in condition.model_fields_set
    }
    assert written == set(Condition.model_fields) - {"before"}


def test_an_example_call_that_fails_is_reported() -> None:
    agent_alone = [{"role": "agent", "text": "I want it."}]
    both = [{"role": "customer", "text": "I want it."}, {"role": "agent", "text": "Fine."}]
    broken = playbook(rule(match=["I want it.", agent_alone], no_match=["No.", both]))
    assert len(failing_examples(RuleSet(broken, "en"), broken.words_rules[0])) == 2


def test_the_list_of_negators_in_the_document_is_valid() -> None:
    (text,) = re.findall(r"`negators: (\{.*\})`", DOCUMENT.read_text(encoding="utf-8"))
    mine = playbook(rule(condition={"phrases": ["a"], "negated": "excluded"}), negators=yaml.safe_load(text))
    assert mine.negators["en"].stops == ("but",)
