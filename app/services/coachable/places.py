"""Where in a text one condition of words holds, by what its phrases and regular expressions match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from enum import Enum
from typing import NamedTuple

from app.services.coachable.automaton import Match
from app.services.coachable.conditions import Condition
from app.services.coachable.negation import Negation, NegationPart
from app.services.coachable.questions import is_question
from app.services.coachable.scattered import Stretch, scattered
from app.services.coachable.tokens import Tokens

Characters = tuple[int, int]
"""The first one and the one after the last."""


class Part(Enum):
    """What a phrase is to its condition."""

    FOUND = "found"
    EXCLUDED_OVER = "excluded over"
    EXCLUDED_BEFORE = "excluded before"
    EXCLUDED_AFTER = "excluded after"
    ABSENT = "absent"


class Use(NamedTuple):
    """What a phrase is to a condition; ``place`` is its own among the phrases that are looked for."""

    part: Part
    reach: int
    place: int


class Text:
    """A text and what was found in it for all conditions; ``matched``: first and last token, by phrase."""

    def __init__(
        self,
        tokens: Tokens,
        matches: Iterable[Match],
        openers: Set[int],
        negators: Mapping[int, tuple[NegationPart, int]],
    ) -> None:
        self.tokens = tokens
        self.matched: dict[int, list[Stretch]] = {}
        for phrase, first, last in matches:
            if phrase in self.matched:
                self.matched[phrase].append((first, last))
            else:
                self.matched[phrase] = [(first, last)]
        self._openers = openers
        self._negators = negators
        self._opened: set[int] | None = None
        self._negation: Negation | None = None

    @property
    def opened(self) -> set[int]:
        """Where questions may begin."""
        if self._opened is None:
            phrases = self.matched.keys() & self._openers
            self._opened = {place[0] for phrase in phrases for place in self.matched[phrase]}
        return self._opened

    @property
    def negation(self) -> Negation:
        if self._negation is None:
            self._negation = Negation()
            for phrase in self.matched.keys() & self._negators.keys():
                part, reach = self._negators[phrase]
                for first, last in self.matched[phrase]:
                    self._negation.add(part, first, last, reach)
        return self._negation


class Written(NamedTuple):
    """A match of a regular expression. It may begin within a word, or hold none: ``last`` < ``first``."""

    first: int
    last: int
    start: int
    end: int


Found = Stretch | Written


def _first_and_longest(place: Found) -> tuple[int, int]:
    return place[0], -place[1]


def characters_of(places: Sequence[Found], tokens: Tokens) -> Characters:
    if len(places) == 1:
        (place,) = places
        return place[2:] if isinstance(place, Written) else tokens.span(*place)
    spans = [place[2:] if isinstance(place, Written) else tokens.span(*place) for place in places]
    return min(start for start, _ in spans), max(end for _, end in spans)


class Matches:
    """What the phrases of one condition matched in one text; ``numbered``: with the phrases' own places.

    ``covered``: tokens that rule out what overlaps them; ``ends``, ``starts``: those that rule out what
    comes right after, or right before.
    """

    __slots__ = ("covered", "ends", "found", "numbered", "ruled_out", "starts")

    def __init__(self, written: Sequence[Written]) -> None:
        self.found: list[Found] = [*written]
        self.numbered: list[tuple[int, Sequence[Stretch]]] = []
        self.covered: set[int] | None = None
        self.ends: set[int] | None = None
        self.starts: set[int] | None = None
        self.ruled_out = False

    def add(self, use: Use, matches: Sequence[Stretch], tokens: Tokens) -> None:
        part, reach, place = use
        if part is Part.FOUND:
            self.found += matches
            self.numbered.append((place, matches))
        elif part is Part.EXCLUDED_OVER:
            self.covered = self.covered or set()
            for first, last in matches:
                self.covered.update(range(first, last + 1))
        elif part is Part.EXCLUDED_BEFORE:
            self.ends = self.ends or set()
            for first, last in matches:
                most = tokens.sentence_at(first).last
                self.ends.update(range(last, min(last + reach, most) + 1))
        elif part is Part.EXCLUDED_AFTER:
            self.starts = self.starts or set()
            for first, _ in matches:
                least = tokens.sentence_at(first).first
                self.starts.update(range(max(first - reach, least), first + 1))
        else:
            self.ruled_out = True

    def places(self, condition: Condition, text: Text) -> list[Found]:
        """The first ``at_least`` places found, apart from each other, the longest match of each; or none."""
        places: list[Found] = []
        if self.ruled_out:
            return places
        found: Sequence[Found] = self.found
        if condition.within_words is not None:
            found = scattered(self.numbered, len(condition.phrases), condition.within_words, text.tokens)
        for place in sorted(found, key=_first_and_longest) if len(found) > 1 else found:
            if places and place[0] <= places[-1][1]:
                continue
            if self._excluded(place, text.tokens) or not _asked_for(place, condition, text):
                continue
            places.append(place)
            if len(places) == condition.at_least:
                return places
        return []

    def _excluded(self, place: Found, tokens: Tokens) -> bool:
        if not (self.covered or self.ends or self.starts) or not tokens.sentences:
            return False
        first, last = place[0], place[1]
        sentence = tokens.sentence_at(first)
        return (
            (self.covered is not None and not self.covered.isdisjoint(range(first, last + 1)))
            or (self.ends is not None and first > sentence.first and first - 1 in self.ends)
            or (self.starts is not None and last < sentence.last and last + 1 in self.starts)
        )


def _asked_for(place: Found, condition: Condition, text: Text) -> bool:
    first, last = place[0], place[1]
    if condition.only_questions and not (
        text.tokens.sentences and is_question(text.tokens, first, last, text.opened)
    ):
        return False
    if condition.negated == "either":
        return True
    negated = text.negation.negates(first, last, text.tokens)
    return negated == (condition.negated == "required")
