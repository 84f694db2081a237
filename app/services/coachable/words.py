"""Finds what the word conditions of all rules look for in a text, in one pass over it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from app.services.coachable.automaton import Automaton, Match
from app.services.coachable.conditions import Condition
from app.services.coachable.negation import Negators, negation_phrases
from app.services.coachable.phrases import Families, Phrase, Place, read_phrase
from app.services.coachable.places import (
    Characters,
    Found,
    Matches,
    Part,
    Text,
    Use,
    Written,
    characters_of,
)  # fmt: skip
from app.services.coachable.regexes import Regexes
from app.services.coachable.tokens import Tokens, tokenise

_EXCLUSIONS = {
    Place.OVER: Part.EXCLUDED_OVER,
    Place.BEFORE: Part.EXCLUDED_BEFORE,
    Place.AFTER: Part.EXCLUDED_AFTER,
}
_UNWANTED = -2


class _Seekers(NamedTuple):
    """Conditions that a phrase is written in, by number.

    ``plain``: to which the first place of it is enough; ``careful``: others to be looked at where it is;
    ``doubting``: in which it rules out something.
    """

    plain: tuple[int, ...]
    careful: tuple[int, ...]
    doubting: tuple[int, ...]


class Wanted(NamedTuple):
    """For each phrase, the conditions that it is written in; for each regular expression, its condition."""

    of_phrase: tuple[_Seekers, ...]
    of_regex: tuple[int, ...]


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
        self._uses: list[dict[int, list[Use]]] = []
        for condition, families in conditions:
            uses: dict[int, list[Use]] = {}
            for part, place, phrase in _phrases_of(condition, families):
                uses.setdefault(phrases.number(phrase), []).append(Use(part, phrase.reach, place))
            self._uses.append(uses)
        self._automaton = Automaton(phrases.all)
        self._of_regex = [
            (number, regex) for number, condition in enumerate(self._conditions) for regex in condition.regex
        ]
        self._regexes = Regexes([regex for _, regex in self._of_regex])

    def wanted(self, conditions: Collection[int]) -> Wanted:
        """What to look at for some of the conditions, by their numbers."""
        plain: list[list[int]] = [[] for _ in range(self._automaton.size)]
        careful: list[list[int]] = [[] for _ in plain]
        doubting: list[list[int]] = [[] for _ in plain]
        for number in sorted(conditions):
            seeking = plain if _is_plain(self._conditions[number]) else careful
            for phrase in self._telling(number):
                seeking[phrase].append(number)
            for phrase, uses in self._uses[number].items():
                if any(use.part is not Part.FOUND for use in uses):
                    doubting[phrase].append(number)
        return Wanted(
            tuple(_Seekers(*map(tuple, each)) for each in zip(plain, careful, doubting, strict=True)),
            tuple(number if number in conditions else _UNWANTED for number, _ in self._of_regex),
        )

    def _telling(self, number: int) -> list[int]:
        """Phrases that tell whether to look at the condition: where all must be there, the longest alone."""
        condition, uses = self._conditions[number], self._uses[number]
        places = set(range(len(condition.phrases)))
        if condition.order == "any":
            places = {max(places, key=lambda place: len(condition.phrases[place]))}
        return [
            phrase
            for phrase, of_phrase in uses.items()
            if any(use.part is Part.FOUND and use.place in places for use in of_phrase)
        ]

    def find(self, texts: Sequence[str], wanted: Sequence[Wanted]) -> list[list[tuple[int, Characters]]]:
        """For each text, those of its ``wanted`` conditions, by number, that are true of it, and the words
        that show it.

        One step over all texts and then the next: so each finds its tables in the processor's cache, which
        makes it a quarter quicker.
        """
        tokens = [tokenise(text) for text in texts]
        matches = [self._automaton.matches(of_text) for of_text in tokens]
        spans = [self._regexes.spans(text) for text in texts]
        return [self._found(*of_text) for of_text in zip(tokens, matches, spans, wanted, strict=True)]

    def _found(
        self,
        tokens: Tokens,
        matches: Sequence[Match],
        spans: Iterable[tuple[int, int, int]],
        wanted: Wanted,
    ) -> list[tuple[int, Characters]]:
        there, unsure = _sorted_out(matches, wanted)
        written: dict[int, list[Written]] = {}
        for regex, start, end in spans:
            number = wanted.of_regex[regex]
            if number != _UNWANTED:
                written.setdefault(number, []).append(Written(*tokens.within(start, end), start, end))
        unsure.update(written)
        found = [
            (number, tokens.span(first, last))
            for number, (first, last) in there.items()
            if number not in unsure
        ]
        if unsure:
            in_text = Text(tokens, matches, self._openers, self._negation)
            for number in unsure:
                places = self._places(number, written.get(number, ()), in_text)
                if places:
                    found.append((number, characters_of(places, tokens)))
        return found

    def _places(self, number: int, written: Sequence[Written], text: Text) -> Sequence[Found]:
        condition, uses = self._conditions[number], self._uses[number]
        of_condition = Matches(written)
        for phrase in text.matched.keys() & uses.keys():
            for use in uses[phrase]:
                of_condition.add(use, text.matched[phrase], text.tokens)
        return of_condition.places(condition, text)


def _is_plain(condition: Condition) -> bool:
    """Whether a phrase of it that is found, and by none ruled out, is all that it asks of words."""
    return (
        condition.at_least == 1
        and not condition.only_questions
        and (condition.negated, condition.order) == ("either", "exact")
    )


def _sorted_out(matches: Sequence[Match], wanted: Wanted) -> tuple[dict[int, tuple[int, int]], set[int]]:
    """The first place, and the longest match there, of conditions that may ask for no more than that; and the
    conditions at which to look more closely."""
    there: dict[int, tuple[int, int]] = {}
    unsure: set[int] = set()
    doubtful: set[int] = set()
    of_phrase = wanted.of_phrase
    for phrase, first, last in matches:
        plain, careful, doubting = of_phrase[phrase]
        for number in plain:
            # Matches come in order of their first word, and then of length.
            if number not in there or there[number][0] == first:
                there[number] = first, last
        if careful:
            unsure.update(careful)
        if doubting:
            doubtful.update(doubting)
    if doubtful:
        unsure.update(doubtful.intersection(there))
    return there, unsure


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


def _phrases_of(condition: Condition, families: Families) -> Iterable[tuple[Part, int, Phrase]]:
    for place, text in enumerate(condition.phrases):
        yield Part.FOUND, place, read_phrase(text, families, exclusion=False)
    for text in condition.unless:
        phrase = read_phrase(text, families, exclusion=True)
        yield _EXCLUSIONS[phrase.place], 0, phrase
    for text in condition.absent:
        yield Part.ABSENT, 0, read_phrase(text, families, exclusion=False)
