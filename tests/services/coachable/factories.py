"""Makes segments and small playbooks for the tests of coachable moments."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from app.core.config import load_settings
from app.schemas.transcript import Segment, Word
from app.services.coachable.example_calls import find_in_example
from app.services.coachable.loader import load_playbook, parse_playbook
from app.services.coachable.playbook import Example, Playbook, WordsRule
from app.services.coachable.rules import Finding, RuleSet
from app.services.coachable_service import CoachableService
from app.services.metrics_service import measure

WORD_S = 0.4


def segment(text: str, role: str = "customer", index: int = 0, start_s: float = 0.0) -> Segment:
    """``text`` spoken evenly, a word each 0.4 s."""
    words = tuple(
        Word(word, start_s + place * WORD_S, start_s + place * WORD_S + 0.3)
        for place, word in enumerate(text.split())
    )
    return Segment(index, "speaker_0", words, role)


def rule(**changes: object) -> dict[str, object]:
    """A valid rule as YAML data; a ``condition`` key is given as it is."""
    return {
        "id": "wants_it", "type": "buying_signal", "role": "customer", "confidence": 0.8, "why": "W.",
        "tip": "T.", "condition": {"phrases": ["i want it"]}, "match": ["I want it."], "no_match": ["No."],
        **changes,
    }  # fmt: skip


def timed_rule(**changes: object) -> dict[str, object]:
    """A valid rule for a signal in time as YAML data; a ``condition`` key is given as it is."""
    return {
        "id": "silent", "type": "dead_air", "role": "anyone", "confidence": 0.9, "why": "W.", "tip": "T.",
        "condition": {"dead_air": {}},
        **changes,
    }  # fmt: skip


def playbook_text(*rules: dict[str, object], **changes: object) -> str:
    data = {"name": "mine", "version": "1", "rules": list(rules or (rule(),)), **changes}
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def playbook(*rules: dict[str, object], **changes: object) -> Playbook:
    return parse_playbook(playbook_text(*rules, **changes), "mine.yaml", "mine")


def write_playbook(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def found(text: str, role: str = "customer", **condition: object) -> list[str]:
    """The words that a rule with this condition finds in ``text``."""
    rules = RuleSet(playbook(rule(condition=condition)), "en")
    return [text[finding.start : finding.end] for finding in find_in_text(rules, text, role)]


def find_in_text(rules: RuleSet, text: str, role: str = "customer") -> list[Finding]:
    return rules.find_in_text(text, role)


@cache
def built_in_playbook(name: str = "default") -> Playbook:
    return load_playbook(name, None)


@cache
def built_in_rules(name: str = "default", language: str = "en") -> RuleSet:
    return RuleSet(built_in_playbook(name), language)


@cache
def built_in_service() -> CoachableService:
    return CoachableService(load_settings(_env_file=None))


def failing_examples(rules: RuleSet, rule: WordsRule) -> list[str]:
    """The rule's own examples that do not do what they are there to show."""

    def holds(example: Example) -> bool:
        return rule.id in {finding.rule.id for finding in find_in_example(rules, rule, example, measure)}

    missed = [f"match: {text}" for text in rule.match if not holds(text)]
    return missed + [f"no_match: {text}" for text in rule.no_match if holds(text)]
