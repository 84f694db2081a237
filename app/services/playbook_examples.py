"""A playbook's own examples: whether each rule finds what it says that it finds, and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.coachable.example_calls import find_in_example
from app.services.coachable.playbook import Example, WordsRule
from app.services.coachable.rules import RuleSet
from app.services.metrics_service import measure


@dataclass(frozen=True)
class FailedExample:
    """``text``, of the ``part`` ``match`` or ``no_match`` of ``rule``, does not do what it is there for."""

    rule: str
    language: str
    part: str
    text: str

    def __str__(self) -> str:
        verb = "does not find" if self.part == "match" else "finds"
        return f"rule {self.rule} ({self.language}) {verb}: {self.text}"


def failed_examples(playbook: CompiledPlaybook) -> Iterator[FailedExample]:
    """Those of all rules in words, each rule in its first language."""
    return (failed for failed in try_examples(playbook) if failed is not None)


def try_examples(playbook: CompiledPlaybook) -> Iterator[FailedExample | None]:
    """One by one, None for each that holds: whoever asks may stop in between.

    Every example goes through all rules, so that the time grows with the square of their number.
    """
    for language in sorted(playbook.playbook.languages):
        compiled = playbook.rules_of(language)
        for rule, _ in playbook.playbook.rules_in(language):
            if compiled is not None and rule.languages[0] == language:
                yield from _tried(rule, language, compiled)


def _tried(rule: WordsRule, language: str, compiled: RuleSet) -> Iterator[FailedExample | None]:
    for part, examples in (("match", rule.match), ("no_match", rule.no_match)):
        for example in examples:
            found = {finding.rule.id for finding in find_in_example(compiled, rule, example, measure)}
            holds = (rule.id in found) == (part == "match")
            yield None if holds else FailedExample(rule.id, language, part, words_of(example))


def words_of(example: Example) -> str:
    """As people read it: a text, or who says what."""
    if isinstance(example, str):
        return example
    return " / ".join(f"{part.role}: {part.text}" for part in example)
