"""A playbook's own examples: whether each rule finds what it says that it finds, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.coachable.playbook import WordsRule
from app.services.coachable.rules import UNKNOWN_ROLE, RuleSet
from app.services.coachable.tokens import tokenise


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
    for language in sorted(playbook.playbook.languages):
        compiled = playbook.rules_of(language)
        for rule, _ in playbook.playbook.rules_in(language):
            if compiled is not None and rule.languages[0] == language:
                yield from _failed(rule, language, compiled)


def _failed(rule: WordsRule, language: str, compiled: RuleSet) -> Iterator[FailedExample]:
    role = UNKNOWN_ROLE if rule.role == "anyone" else rule.role
    for part, texts in (("match", rule.match), ("no_match", rule.no_match)):
        for text in texts:
            found = {finding.rule.id for finding in compiled.find(tokenise(text), role)}
            if (rule.id in found) != (part == "match"):
                yield FailedExample(rule.id, language, part, text)
