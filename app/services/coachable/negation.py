"""Whether what was found is negated: by a list of negators for each language, each with its reach.

The lists are in negators.yaml; a playbook may bring its own. Negation inside of what was found is the
phrase's own affair: "can not afford" is found as it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, StringConstraints

from app.services.coachable.part import Part
from app.services.coachable.patterns import PhraseError
from app.services.coachable.phrases import BUILT_IN, Families, Phrase, Place, read_phrase
from app.services.coachable.tokens import Tokens

_LISTS = Path(__file__).parent / "negators.yaml"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]


class Negators(Part):
    """What negates in one language. ``negators``: phrases with @ where the negated stands, a gap as reach.

    A negator that overlaps a phrase of ``except`` negates nothing; none reaches past a phrase of ``stops``.
    """

    negators: tuple[Text, ...] = Field(min_length=1, max_length=100)
    except_: tuple[Text, ...] = Field((), alias="except", max_length=100)
    stops: tuple[Text, ...] = Field((), max_length=100)


@cache
def built_in_negators() -> dict[str, Negators]:
    lists = yaml.safe_load(_LISTS.read_text(encoding="utf-8"))
    return {language: Negators.model_validate(words) for language, words in lists.items()}


class NegationPart(Enum):
    """What a phrase is to negation."""

    BEFORE = "before"
    AFTER = "after"
    EXCEPTION = "exception"
    STOP = "stop"


def negation_phrases(
    negators: Negators, families: Families = BUILT_IN
) -> Iterable[tuple[NegationPart, Phrase]]:
    """All phrases of the lists, ready to be matched. Raises PhraseError."""
    for text in negators.negators:
        phrase = read_phrase(text, families, exclusion=True)
        if phrase.place is Place.OVER:
            raise PhraseError(f"{text!r}: write @ where the negated words stand")
        yield NegationPart.BEFORE if phrase.place is Place.BEFORE else NegationPart.AFTER, phrase
    for part, texts in ((NegationPart.EXCEPTION, negators.except_), (NegationPart.STOP, negators.stops)):
        for text in texts:
            yield part, read_phrase(text, families, exclusion=False)


@dataclass
class Negation:
    """What of the lists was matched in one text, and what that negates."""

    found: list[tuple[NegationPart, int, int, int]] = field(default_factory=list)
    _reached: tuple[set[int], set[int]] | None = None

    def add(self, part: NegationPart, first: int, last: int, reach: int) -> None:
        """A phrase of the lists covers the tokens ``first`` to ``last``."""
        self.found.append((part, first, last, reach))

    def negates(self, first: int, last: int, tokens: Tokens) -> bool:
        """Whether the tokens ``first`` to ``last`` stand in the reach of a negator."""
        if not self.found:
            return False
        if self._reached is None:
            self._reached = self._reach(tokens)
        from_before, from_after = self._reached
        return first in from_before or last in from_after

    def _reach(self, tokens: Tokens) -> tuple[set[int], set[int]]:
        """Where what is negated may begin, and where it may end."""
        excepted = self._covered_by(NegationPart.EXCEPTION)
        stops = self._covered_by(NegationPart.STOP)
        begins: set[int] = set()
        ends: set[int] = set()
        for part, first, last, reach in self.found:
            if not excepted.isdisjoint(range(first, last + 1)):
                continue
            sentence = tokens.sentence_at(first)
            if part is NegationPart.BEFORE:
                most = min(last + 1 + reach, sentence.last)
                begins.update(_up_to_stop(range(last + 1, most + 1), stops))
            elif part is NegationPart.AFTER:
                least = max(first - 1 - reach, sentence.first)
                ends.update(_up_to_stop(range(first - 1, least - 1, -1), stops))
        return begins, ends

    def _covered_by(self, part: NegationPart) -> set[int]:
        return {place for of, first, last, _ in self.found if of is part for place in range(first, last + 1)}


def _up_to_stop(places: Sequence[int], stops: set[int]) -> Iterable[int]:
    for place in places:
        if place in stops:
            return
        yield place
