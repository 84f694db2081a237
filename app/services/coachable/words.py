"""Finds what the word conditions of all rules look for in a text, in one pass over it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from operator import itemgetter
from typing import NamedTuple

from app.services.coachable.automaton import Automaton, Match
from app.services.coachable.conditions import Condition
from app.services.coachable.negation import Negation, NegationPart, Negators, negation_phrases
from app.services.coachable.phrases import Families, Phrase, Place, read_phrase
from app.services.coachable.questions import is_question
from app.services.coachable.regexes import Regexes
from app.services.coachable.scattered import scattered
from app.services.coachable.tokens import Tokens, tokenise

Characters = tuple[int, int]
"""The first one and the one after the last."""


class _Part(Enum):
    """What a phrase is to its condition."""

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
_NO_CONDITION = -1
_UNWANTED = -2


class Wanted(NamedTuple):
    """For each phrase and regular expression the number of its condition, or that it is unwanted.

    ``shows``: the same for the phrases that a condition looks for, without those that rule them out.
    """

    of_phrase: tuple[int, ...]
    shows: tuple[int, ...]
    of_regex: tuple[int, ...]


class Words:
    """The word conditions of one language, compiled. Safe to share between threads.

    ``opening``: phrases with which a question begins. ``negators``: None where no condition asks for them.
    """

    def __init__(
        self,
        conditions: Sequence[tuple[Condition, Families]],
        opening: Sequence[Phrase],
        negators: Negators | None,
    ) -> None:
        self._conditions = [condition for condition, _ in conditions]
        phrases = list(opening)
        self._parts: list[tuple[int, _Part | NegationPart, int, int]] = [
            (_NO_CONDITION, _Part.OPENER, 0, 0) for _ in phrases
        ]
        for number, (condition, families) in enumerate(conditions):
            for part, place, phrase in _phrases_of(condition, families):
                phrases.append(phrase)
                self._parts.append((number, part, phrase.reach, place))
        for negation_part, phrase in negation_phrases(negators) if negators else ():
            phrases.append(phrase)
            self._parts.append((_NO_CONDITION, negation_part, phrase.reach, 0))
        self._automaton = Automaton(phrases)
        self._is_plain = [
            condition.at_least == 1
            and not condition.only_questions
            and (condition.negated, condition.order) == ("either", "exact")
            for condition in self._conditions
        ]
        self._of_regex = [
            (number, regex) for number, condition in enumerate(self._conditions) for regex in condition.regex
        ]
        self._regexes = Regexes([regex for _, regex in self._of_regex])

    def wanted(self, conditions: Container[int]) -> Wanted:
        """What to look at for some of the conditions, by their numbers."""
        numbers = [number if number in conditions else _UNWANTED for number, _, _, _ in self._parts]
        return Wanted(
            tuple(
                _NO_CONDITION if part[0] == _NO_CONDITION else number
                for number, part in zip(numbers, self._parts, strict=True)
            ),
            tuple(
                number if part[1] is _Part.FOUND else _UNWANTED
                for number, part in zip(numbers, self._parts, strict=True)
            ),
            tuple(number if number in conditions else _UNWANTED for number, _ in self._of_regex),
        )

    def find(self, text: str, wanted: Wanted) -> list[tuple[int, Characters]]:
        """The ``wanted`` conditions, by number, that are true of ``text``, and its words that show it."""
        tokens = tokenise(text)
        of_phrase, shows = wanted.of_phrase, wanted.shows
        matches = self._automaton.triples(tokens)
        written: dict[int, list[_Written]] = {}
        for regex, start, end in self._regexes.spans(text):
            written.setdefault(wanted.of_regex[regex], []).append(_written(start, end, tokens))
        # Most often what a condition looks for is not there at all, whatever else of it is.
        there = {shows[phrase] for phrase, _, _ in matches} | written.keys()
        there.discard(_UNWANTED)
        if not there:
            return []
        matched: dict[int, list[tuple[int, int, int]]] = {number: [] for number in (*there, _NO_CONDITION)}
        for match in matches:
            number = of_phrase[match[0]]
            if number in matched:
                matched[number].append(match)
        in_text = _Text(tokens, *self._openings_and_negation(matched[_NO_CONDITION]))
        found = []
        for number in there:
            places = self._places(number, matched[number], written.get(number, ()), in_text)
            if places:
                found.append((number, _characters(places, tokens)))
        return found

    def _places(
        self, number: int, matched: Sequence[tuple[int, int, int]], written: Sequence[_Written], text: _Text
    ) -> Sequence[_Found]:
        """Where the condition is true; ``matched`` is in order of the first word.

        Most conditions ask for no more than their phrases: the first place, the longest match there.
        """
        condition, parts = self._conditions[number], self._parts
        if (
            self._is_plain[number]
            and not written
            and all(parts[each[0]][1] is _Part.FOUND for each in matched)
        ):
            first = matched[0][1]
            return (Match(*max((each for each in matched if each[1] == first), key=itemgetter(2))),)
        if condition.order == "any":
            there = {parts[phrase][3] for phrase, _, _ in matched if parts[phrase][1] is _Part.FOUND}
            if len(there) < len(condition.phrases):
                return ()
        matches = _Matches()
        matches.found += written
        for match in matched:
            _, part, reach, place = parts[match[0]]
            matches.add(part, Match(*match), reach, place, text.tokens)
        return matches.places(condition, text)

    def _openings_and_negation(self, matches: Sequence[tuple[int, int, int]]) -> tuple[set[int], Negation]:
        opened: set[int] = set()
        negation = Negation()
        for match in matches:
            _, part, reach, _ = self._parts[match[0]]
            if part is _Part.OPENER:
                opened.add(match[1])
            elif isinstance(part, NegationPart):
                negation.add(part, Match(*match), reach)
        return opened, negation


@dataclass(frozen=True)
class _Text:
    """A text with what was found in it for all conditions: where questions may begin, what is negated."""

    tokens: Tokens
    opened: set[int]
    negation: Negation


class _Written(NamedTuple):
    """A match of a regular expression. It may begin within a word, or hold none: ``last`` < ``first``."""

    first: int
    last: int
    start: int
    end: int


def _written(start: int, end: int, tokens: Tokens) -> _Written:
    first = bisect_right(tokens.ends, start)
    last = bisect_left(tokens.starts, end) - 1
    return _Written(first, last, start, end)


_Found = Match | _Written


def _characters(places: Sequence[_Found], tokens: Tokens) -> Characters:
    if len(places) == 1 and isinstance(places[0], Match):
        return tokens.starts[places[0].first], tokens.ends[places[0].last]
    starts = [place.start if isinstance(place, _Written) else tokens.starts[place.first] for place in places]
    ends = [place.end if isinstance(place, _Written) else tokens.ends[place.last] for place in places]
    return min(starts), max(ends)


def _phrases_of(condition: Condition, families: Families) -> Iterable[tuple[_Part, int, Phrase]]:
    for place, text in enumerate(condition.phrases):
        yield _Part.FOUND, place, read_phrase(text, families, exclusion=False)
    for text in condition.unless:
        phrase = read_phrase(text, families, exclusion=True)
        yield _EXCLUSIONS[phrase.place], 0, phrase
    for text in condition.absent:
        yield _Part.ABSENT, 0, read_phrase(text, families, exclusion=False)


@dataclass
class _Matches:
    """What the phrases of one condition matched in one text; ``numbers``: of the phrases of ``found``."""

    found: list[_Found] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    covered: set[int] = field(default_factory=set)
    ends: set[int] = field(default_factory=set)
    starts: set[int] = field(default_factory=set)
    ruled_out: bool = False

    def add(self, part: _Part | NegationPart, match: Match, reach: int, number: int, tokens: Tokens) -> None:
        if part is _Part.FOUND:
            self.found.append(match)
            self.numbers.append(number)
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

    def places(self, condition: Condition, text: _Text) -> list[_Found]:
        """The first ``at_least`` places found, apart from each other, the longest match of each; or none."""
        places: list[_Found] = []
        if self.ruled_out:
            return places
        found = self._candidates(condition, text.tokens)
        for match in sorted(found, key=lambda match: (match.first, -match.last)):
            if places and match.first <= places[-1].last:
                continue
            if self._excluded(match, text.tokens) or not _asked_for(match, condition, text):
                continue
            places.append(match)
            if len(places) == condition.at_least:
                return places
        return []

    def _candidates(self, condition: Condition, tokens: Tokens) -> Sequence[_Found]:
        if condition.order == "exact" or condition.within_words is None:
            return self.found
        matches = [match for match in self.found if isinstance(match, Match)]
        numbered = zip(self.numbers, matches, strict=True)
        return scattered(numbered, len(condition.phrases), condition.within_words, tokens)

    def _excluded(self, match: _Found, tokens: Tokens) -> bool:
        if not (self.covered or self.ends or self.starts) or not tokens.sentences:
            return False
        sentence = tokens.sentence_at(match.first)
        return (
            not self.covered.isdisjoint(range(match.first, match.last + 1))
            or (match.first > sentence.first and match.first - 1 in self.ends)
            or (match.last < sentence.last and match.last + 1 in self.starts)
        )


def _asked_for(match: _Found, condition: Condition, text: _Text) -> bool:
    if condition.only_questions and not (
        text.tokens.sentences and is_question(text.tokens, match.first, match.last, text.opened)
    ):
        return False
    if condition.negated == "either":
        return True
    negated = text.negation.negates(match.first, match.last, text.tokens)
    return negated == (condition.negated == "required")
