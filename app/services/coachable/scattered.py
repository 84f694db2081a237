"""Several phrases near one another, in whatever order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from app.services.coachable.tokens import Tokens

Stretch = tuple[int, int]
"""First and last token."""


def scattered(
    numbered: Iterable[tuple[int, Iterable[Stretch]]], count: int, within_words: int, tokens: Tokens
) -> list[Stretch]:
    """Stretches of one sentence of at most ``within_words`` words that hold all of ``count`` phrases.

    ``numbered``: the numbers of phrases, each with what it matched. For each word at which a match begins:
    the shortest such stretch from there. The time is that of sorting the matches, times ``count``.
    """
    by_sentence: dict[int, list[list[Stretch]]] = {}
    for number, matches in numbered:
        for match in matches:
            sentence = tokens.sentence_at(match[0]).first
            by_sentence.setdefault(sentence, [[] for _ in range(count)])[number].append(match)
    return [
        stretch
        for of_phrases in by_sentence.values()
        if all(of_phrases)
        for stretch in _stretches([_Ends(matches) for matches in of_phrases], within_words)
    ]


def _stretches(of_phrases: Sequence[_Ends], within_words: int) -> Iterable[Stretch]:
    for first in sorted({first for ends in of_phrases for first in ends.firsts}):
        last = max(ends.earliest_from(first) for ends in of_phrases)
        if last - first < within_words:
            yield first, int(last)


class _Ends:
    """Where matches of one phrase end."""

    def __init__(self, matches: Iterable[Stretch]) -> None:
        ordered = sorted(matches)
        self.firsts = [first for first, _ in ordered]
        self._earliest = list(accumulate((last for _, last in reversed(ordered)), min))[::-1]

    def earliest_from(self, first: int) -> float:
        """The earliest last word of those that begin at ``first`` or later; infinite where there is none."""
        place = bisect_left(self.firsts, first)
        return self._earliest[place] if place < len(self.firsts) else float("inf")
