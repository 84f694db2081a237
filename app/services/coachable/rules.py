"""The rule engine: which rules of a playbook hold in which segments of a call, on which words, how surely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from app.schemas.transcript import Segment, Word
from app.services.coachable.dependencies import meant_by, waits_for
from app.services.coachable.places import Characters
from app.services.coachable.playbook import Playbook, TimedRule, WordsRule
from app.services.coachable.questions import openers
from app.services.coachable.sequence import in_order
from app.services.coachable.words import Wanted, Words

if TYPE_CHECKING:
    from app.services.coachable.following import Marks
    from app.services.coachable.view import CallView

UNKNOWN_ROLE = "unknown"
UNKNOWN_ROLE_FACTOR = 0.8


class Finding(NamedTuple):
    """``rule`` holds in the segment at ``position``, on its characters ``start`` to ``end``, with confidence.

    ``playbook`` and ``revision`` say where the rule stands.
    """

    rule: WordsRule
    position: int
    start: int
    end: int
    confidence: float
    playbook: str
    revision: str


class RuleSet:
    """The rules of one language, compiled. Safe to share between threads."""

    def __init__(self, playbook: Playbook, language: str) -> None:
        with_families = playbook.rules_in(language)
        self._origin = playbook.name, playbook.revision
        self._rules = [rule for rule, _ in with_families]
        self._with_timed: list[WordsRule | TimedRule] = [*self._rules, *playbook.timed_rules]
        self._meant = {
            number: [(one, meant_by(one, number, self._with_timed)) for one in references]
            for number, rule in enumerate(self._rules)
            if (references := [one for part in rule.condition.walk() for one in part.references])
        }
        self._order = in_order(waits_for(self._with_timed), len(self._with_timed))
        self._by_role: dict[str, Wanted] = {}
        of_words = [
            (rule, condition, families)
            for rule, families in with_families
            for condition in rule.condition.walk()
            if condition.has_words
        ]
        self._ids = [id(condition) for _, condition, _ in of_words]
        self._roles = [rule.role for rule, _, _ in of_words]
        asked = any(condition.negated != "either" for _, condition, _ in of_words)
        self._words = Words(
            [(condition, families) for _, condition, families in of_words],
            openers(language),
            playbook.negators_in(language) if asked else None,
        )

    def find(self, view: CallView) -> list[list[Finding]]:
        """For each segment of the call, at most one finding a rule, in the order of the rules.

        That is what the rules say, each with its own confidence, before anything is merged or left out.
        """
        words = self._find_words(view)
        by_rule: dict[int, Mapping[int, Characters]] = {}
        for number in self._order:
            if number < len(self._rules):
                by_rule[number] = self._places(number, view, words, by_rule)
        findings: list[list[Finding]] = [[] for _ in view.segments]
        roles = [segment.role for segment in view.segments]
        known_roles = set(roles)
        origin, new = self._origin, tuple.__new__
        for number, rule in enumerate(self._rules):
            confidence = {role: rule.confidence * _role_factor(rule.role, role) for role in known_roles}
            for position, (start, end) in by_rule[number].items():
                # Without the call of Finding itself, it is made in half the time.
                finding = new(Finding, (rule, position, start, end, confidence[roles[position]], *origin))
                findings[position].append(finding)
        return findings

    def find_in_text(self, text: str, role: str) -> list[Finding]:
        """What is found in a text alone that somebody in ``role`` says; nothing is measured on it."""
        from app.services.coachable.view import CallView

        (findings,) = self.find(CallView([Segment(0, "", (Word(text, 0.0, 0.0),), role)]))
        return findings

    def _find_words(self, view: CallView) -> dict[int, dict[int, Characters]]:
        """For each condition of words, by its ``id``, what is found in which segments."""
        words: dict[int, dict[int, Characters]] = {identity: {} for identity in self._ids}
        wanted = {role: self._wanted(role) for role in {segment.role for segment in view.segments}}
        found = self._words.find(view.texts, [wanted[segment.role] for segment in view.segments])
        for position, of_segment in enumerate(found):
            for number, characters in of_segment:
                words[self._ids[number]][position] = characters
        return words

    def _wanted(self, role: str) -> Wanted:
        """The conditions of rules about somebody in ``role``."""
        if role not in self._by_role:
            numbers = {number for number, of_rule in enumerate(self._roles) if _role_factor(of_rule, role)}
            self._by_role[role] = self._words.wanted(numbers)
        return self._by_role[role]

    def _places(
        self,
        number: int,
        view: CallView,
        words: Mapping[int, Mapping[int, Characters]],
        by_rule: Mapping[int, Mapping[int, Characters]],
    ) -> Mapping[int, Characters]:
        """Where one rule holds, and on what; ``by_rule``: the same of those that it waits for."""
        rule = self._rules[number]
        if rule.condition.is_words_alone:
            return words[id(rule.condition)]
        from app.services.coachable.evaluation import Evaluation

        marks = {
            id(reference): self._marks(meant, view, by_rule)
            for reference, meant in self._meant.get(number, ())
        }
        return Evaluation(view, words, marks).places(rule.condition, rule.role)

    def _marks(
        self, meant: Sequence[int], view: CallView, by_rule: Mapping[int, Mapping[int, Characters]]
    ) -> Marks:
        from app.services.coachable.following import Marks

        marks = Marks()
        for number in meant:
            rule = self._with_timed[number]
            if isinstance(rule, TimedRule):
                marks.in_time += view.found_in_time(rule)
            else:
                marks.in_words += by_rule[number].items()
        return marks


def _role_factor(rule_role: str, role: str) -> float:
    """By how much the speaker's role alters the confidence: 0 where the rule is about somebody else."""
    if rule_role in (role, "anyone"):
        return 1.0
    return UNKNOWN_ROLE_FACTOR if role == UNKNOWN_ROLE else 0.0
