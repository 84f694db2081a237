"""The rule engine: which rules of a playbook hold in a text, on which of its words, how surely."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from app.services.coachable.automaton import Automaton, Match
from app.services.coachable.phrases import Families, Phrase, Place, read_phrase
from app.services.coachable.playbook import Playbook, WordsCondition, WordsRule
from app.services.coachable.questions import is_question, openers
from app.services.coachable.tokens import Tokens

UNKNOWN_ROLE = "unknown"
UNKNOWN_ROLE_FACTOR = 0.8


@dataclass(frozen=True)
class Finding:
    """``rule`` holds, on the tokens ``first`` to ``last`` (both in it), with this confidence."""

    rule: WordsRule
    first: int
    last: int
    confidence: float


class RuleSet:
    """The rules of one language, compiled. Safe to share between threads."""

    def __init__(self, playbook: Playbook, language: str) -> None:
        with_families = playbook.rules_in(language)
        self._rules = [rule for rule, _ in with_families]
        phrases = list(openers(language))
        self._parts: list[tuple[int, _Part, int]] = [(-1, _Part.OPENER, 0)] * len(phrases)
        for number, (rule, families) in enumerate(with_families):
            for part, phrase in _phrases_of(rule, families):
                phrases.append(phrase)
                self._parts.append((number, part, phrase.reach))
        self._automaton = Automaton(phrases)

    def find(self, tokens: Tokens, role: str) -> list[Finding]:
        """At most one finding a rule, in the order of the rules."""
        by_rule: dict[int, _RuleMatches] = {}
        opened: set[int] = set()
        for match in self._automaton.matches(tokens):
            number, part, reach = self._parts[match.phrase]
            if part is _Part.OPENER:
                opened.add(match.first)
            else:
                by_rule.setdefault(number, _RuleMatches()).add(part, match, reach, tokens)
        findings: list[Finding] = []
        for number, matches in sorted(by_rule.items()):
            rule = self._rules[number]
            factor = _role_factor(rule, role)
            places = matches.places(rule.condition, tokens, opened) if factor else []
            if places:
                confidence = rule.confidence * factor
                findings.append(Finding(rule, places[0].first, places[-1].last, confidence))
        return findings


def _role_factor(rule: WordsRule, role: str) -> float:
    """By how much the speaker's role alters the confidence: 0 where the rule is about somebody else."""
    if rule.role in (role, "anyone"):
        return 1.0
    return UNKNOWN_ROLE_FACTOR if role == UNKNOWN_ROLE else 0.0


class _Part(Enum):
    """What a phrase is to its rule."""

    FOUND = "found"
    EXCLUDED_OVER = "excluded over"
    EXCLUDED_BEFORE = "excluded before"
    EXCLUDED_AFTER = "excluded after"
    ABSENT = "absent"
    OPENER = "opener"


_EXCLUSIONS = {
    Place.OVER: _Part.EXCLUDED_OVER,
    Place.BEFORE: _Part.EXCLUDED_BEFORE,
    Place.AFTER: _Part.EXCLUDED_AFTER,
}


def _phrases_of(rule: WordsRule, families: Families) -> Iterable[tuple[_Part, Phrase]]:
    for text in rule.condition.phrases:
        yield _Part.FOUND, read_phrase(text, families, exclusion=False)
    for text in rule.condition.unless:
        phrase = read_phrase(text, families, exclusion=True)
        yield _EXCLUSIONS[phrase.place], phrase
    for text in rule.condition.absent:
        yield _Part.ABSENT, read_phrase(text, families, exclusion=False)


@dataclass
class _RuleMatches:
    """What the phrases of one rule matched in one text."""

    found: list[Match] = field(default_factory=list)
    covered: set[int] = field(default_factory=set)
    ends: set[int] = field(default_factory=set)
    starts: set[int] = field(default_factory=set)
    ruled_out: bool = False

    def add(self, part: _Part, match: Match, reach: int, tokens: Tokens) -> None:
        if part is _Part.FOUND:
            self.found.append(match)
        elif part is _Part.EXCLUDED_OVER:
            self.covered.update(range(match.first, match.last + 1))
        elif part is _Part.EXCLUDED_BEFORE:
            last = tokens.sentence_at(match.first).last
            self.ends.update(range(match.last, min(match.last + reach, last) + 1))
        elif part is _Part.EXCLUDED_AFTER:
            first = tokens.sentence_at(match.first).first
            self.starts.update(range(max(match.first - reach, first), match.first + 1))
        else:
            self.ruled_out = True

    def places(self, condition: WordsCondition, tokens: Tokens, opened: set[int]) -> list[Match]:
        """The first ``at_least`` places found, apart from each other, the longest match of each; or none."""
        places: list[Match] = []
        if self.ruled_out:
            return places
        for match in sorted(self.found, key=lambda match: (match.first, -match.last)):
            if places and match.first <= places[-1].last:
                continue
            if self._excluded(match, tokens):
                continue
            if condition.only_questions and not is_question(tokens, match.first, match.last, opened):
                continue
            places.append(match)
            if len(places) == condition.at_least:
                return places
        return []

    def _excluded(self, match: Match, tokens: Tokens) -> bool:
        sentence = tokens.sentence_at(match.first)
        return (
            not self.covered.isdisjoint(range(match.first, match.last + 1))
            or (match.first > sentence.first and match.first - 1 in self.ends)
            or (match.last < sentence.last and match.last + 1 in self.starts)
        )
