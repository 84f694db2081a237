"""Finds what the word conditions of all rules look for in a text, in one pass over it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from app.services.coachable.automaton import Automaton, Match
from app.services.coachable.conditions import Condition
from app.services.coachable.negation import Negation, Negators, negation_phrases
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


_EXCLUSIONS = {
    Place.OVER: _Part.EXCLUDED_OVER,
    Place.BEFORE: _Part.EXCLUDED_BEFORE,
    Place.AFTER: _Part.EXCLUDED_AFTER,
}
_UNWANTED = -2


class Wanted(NamedTuple):
    """For each phrase, the conditions that look for it; for each regular expression, its condition."""

    of_phrase: tuple[tuple[int, ...], ...]
    of_regex: tuple[int, ...]


class _Use(NamedTuple):
    """What a phrase is to a condition; ``place`` is its own among the phrases that are looked for."""

    part: _Part
    reach: int
    place: int


class Words:
    """The word conditions of one language, compiled. Safe to share between threads.

    ``opening``: phrases with which a question begins. ``negators``: None where no condition asks for them.
    A phrase that stands in several conditions is looked for once.
    """

    def __init__(
        self,
        conditions: Sequence[tuple[Condition, Families]],
        opening: Sequence[Phrase],
        negators: Negators | None,
    ) -> None:
        self._conditions = [condition for condition, _ in conditions]
        phrases = _Phrases()
        self._openers = {phrases.number(phrase) for phrase in opening}
        self._negation = {
            phrases.number(phrase): (part, phrase.reach)
            for part, phrase in (negation_phrases(negators) if negators else ())
        }
        self._uses: list[dict[int, list[_Use]]] = []
        for condition, families in conditions:
            uses: dict[int, list[_Use]] = {}
            for part, place, phrase in _phrases_of(condition, families):
                uses.setdefault(phrases.number(phrase), []).append(_Use(part, phrase.reach, place))
            self._uses.append(uses)
        self._automaton = Automaton(phrases.all)
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

    def wanted(self, conditions: Collection[int]) -> Wanted:
        """What to look at for some of the conditions, by their numbers."""
        of_phrase: dict[int, list[int]] = {}
        for number in sorted(conditions):
            for phrase, uses in self._uses[number].items():
                if any(use.part is _Part.FOUND for use in uses):
                    of_phrase.setdefault(phrase, []).append(number)
        return Wanted(
            tuple(tuple(of_phrase.get(phrase, ())) for phrase in range(self._automaton.size)),
            tuple(number if number in conditions else _UNWANTED for number, _ in self._of_regex),
        )

    def find(self, text: str, wanted: Wanted) -> list[tuple[int, Characters]]:
        """The ``wanted`` conditions, by number, that are true of ``text``, and its words that show it."""
        tokens = tokenise(text)
        matched: dict[int, list[Match]] = {}
        for match in self._automaton.triples(tokens):
            if match[0] in matched:
                matched[match[0]].append(Match(*match))
            else:
                matched[match[0]] = [Match(*match)]
        written: dict[int, list[_Written]] = {}
        for regex, start, end in self._regexes.spans(text):
            written.setdefault(wanted.of_regex[regex], []).append(_written(start, end, tokens))
        # Most often what a condition looks for is not there at all, whatever else of it is.
        there = set(written).union(*[wanted.of_phrase[phrase] for phrase in matched])
        there.discard(_UNWANTED)
        if not there:
            return []
        in_text = _Text(tokens, *self._openings_and_negation(matched))
        found = []
        for number in there:
            places = self._places(number, matched, written.get(number, ()), in_text)
            if places:
                found.append((number, _characters(places, tokens)))
        return found

    def _places(
        self, number: int, matched: dict[int, list[Match]], written: Sequence[_Written], text: _Text
    ) -> Sequence[_Found]:
        """Where the condition is true.

        Most conditions ask for no more than their phrases: the first place, the longest match there.
        """
        condition, uses = self._conditions[number], self._uses[number]
        used = [(use, phrase) for phrase in matched.keys() & uses.keys() for use in uses[phrase]]
        if condition.order == "any":
            there = {use.place for use, _ in used if use.part is _Part.FOUND}
            if len(there) < len(condition.phrases):
                return ()
        if self._is_plain[number] and not written and all(use.part is _Part.FOUND for use, _ in used):
            matches = [match for _, phrase in used for match in matched[phrase]]
            return (min(matches, key=_first_and_longest),)
        of_condition = _Matches(written)
        for use, phrase in used:
            for match in matched[phrase]:
                of_condition.add(use, match, text.tokens)
        return of_condition.places(condition, text)

    def _openings_and_negation(self, matched: dict[int, list[Match]]) -> tuple[set[int], Negation]:
        opened = {match.first for phrase in matched.keys() & self._openers for match in matched[phrase]}
        negation = Negation()
        for phrase in matched.keys() & self._negation.keys():
            for match in matched[phrase]:
                negation.add(self._negation[phrase][0], match, self._negation[phrase][1])
        return opened, negation


class _Phrases:
    """Numbers phrases, those that match alike with one number."""

    def __init__(self) -> None:
        self.all: list[Phrase] = []
        self._numbers: dict[tuple[int, bool, bool], int] = {}

    def number(self, phrase: Phrase) -> int:
        # By the identity of the pattern, which is read once a text.
        known = self._numbers.setdefault((id(phrase.pattern), phrase.at_start, phrase.at_end), len(self.all))
        if known == len(self.all):
            self.all.append(phrase)
        return known


class _Text(NamedTuple):
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


def _first_and_longest(match: _Found) -> tuple[int, int]:
    return match.first, -match.last


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


class _Matches:
    """What the phrases of one condition matched in one text; ``numbers``: of the phrases of ``found``.

    ``covered``: tokens that rule out what overlaps them; ``ends``, ``starts``: those that rule out what
    comes right after, or right before.
    """

    __slots__ = ("covered", "ends", "found", "numbers", "ruled_out", "starts")

    def __init__(self, written: Sequence[_Written]) -> None:
        self.found: list[_Found] = [*written]
        self.numbers: list[int] = []
        self.covered: set[int] | None = None
        self.ends: set[int] | None = None
        self.starts: set[int] | None = None
        self.ruled_out = False

    def add(self, use: _Use, match: Match, tokens: Tokens) -> None:
        part, reach, place = use
        if part is _Part.FOUND:
            self.found.append(match)
            self.numbers.append(place)
        elif part is _Part.EXCLUDED_OVER:
            self.covered = self.covered or set()
            self.covered.update(range(match.first, match.last + 1))
        elif part is _Part.EXCLUDED_BEFORE:
            last = tokens.sentence_at(match.first).last
            self.ends = self.ends or set()
            self.ends.update(range(match.last, min(match.last + reach, last) + 1))
        elif part is _Part.EXCLUDED_AFTER:
            first = tokens.sentence_at(match.first).first
            self.starts = self.starts or set()
            self.starts.update(range(max(match.first - reach, first), match.first + 1))
        else:
            self.ruled_out = True

    def places(self, condition: Condition, text: _Text) -> list[_Found]:
        """The first ``at_least`` places found, apart from each other, the longest match of each; or none."""
        places: list[_Found] = []
        if self.ruled_out:
            return places
        found = self._candidates(condition, text.tokens)
        for match in sorted(found, key=_first_and_longest):
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
            (self.covered is not None and not self.covered.isdisjoint(range(match.first, match.last + 1)))
            or (self.ends is not None and match.first > sentence.first and match.first - 1 in self.ends)
            or (self.starts is not None and match.last < sentence.last and match.last + 1 in self.starts)
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
