"""Patterns over words, as trees: what one word must be, one after the other, one of several.

Nothing in them can repeat without end, so every match is at most ``longest`` words, whatever the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

MAX_SIZE = 5_000
MAX_WORDS = 60


class PhraseError(ValueError):
    """A phrase that cannot be used; the message says what is wrong with it."""


@dataclass(frozen=True)
class Atom:
    """What one word must be: any of these."""

    words: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    number: bool = False
    anything: bool = False

    @classmethod
    def any_of(cls, atoms: Sequence[Atom]) -> Atom:
        return cls(
            frozenset(chain.from_iterable(atom.words for atom in atoms)),
            frozenset(chain.from_iterable(atom.prefixes for atom in atoms)),
            any(atom.number for atom in atoms),
            any(atom.anything for atom in atoms),
        )


@dataclass(frozen=True, eq=False)
class Pattern:
    """A tree: a leaf has an ``atom``, any other node its ``parts``, in turn or (``either``) one of them.

    ``size`` counts the leaves; ``gap_first`` and ``gap_last``: a match may begin or end with any word.
    """

    atom: Atom | None
    parts: tuple[Pattern, ...]
    either: bool
    may_be_empty: bool
    size: int
    longest: int
    gap_first: bool
    gap_last: bool


def single(atom: Atom) -> Pattern:
    return Pattern(atom, (), False, False, 1, 1, atom.anything, atom.anything)


def sequence(parts: Iterable[Pattern]) -> Pattern:
    parts = tuple(parts)
    if len(parts) == 1:
        return parts[0]
    return _checked(
        Pattern(
            None,
            parts,
            either=False,
            may_be_empty=all(part.may_be_empty for part in parts),
            size=sum(part.size for part in parts),
            longest=sum(part.longest for part in parts),
            gap_first=any(part.gap_first for part in _to_first_word(parts)),
            gap_last=any(part.gap_last for part in _to_first_word(parts[::-1])),
        )
    )


def choice(options: Iterable[Pattern]) -> Pattern:
    """One of ``options``; those of a single word become one leaf."""
    several = tuple(options)
    words = [option.atom for option in several if option.atom is not None]
    parts = tuple(option for option in several if option.atom is None)
    if words:
        parts = (single(Atom.any_of(words)), *parts)
    if len(parts) == 1:
        return parts[0]
    return _checked(
        Pattern(
            None,
            parts,
            either=True,
            may_be_empty=any(part.may_be_empty for part in parts),
            size=sum(part.size for part in parts),
            longest=max(part.longest for part in parts),
            gap_first=any(part.gap_first for part in parts),
            gap_last=any(part.gap_last for part in parts),
        )
    )


def optional(pattern: Pattern) -> Pattern:
    return choice((pattern, NOTHING))


def up_to(limit: int, pattern: Pattern) -> Pattern:
    """``pattern`` from no times to ``limit`` times."""
    result = NOTHING
    for _ in range(limit):
        result = optional(sequence((pattern, result)))
    return result


def _to_first_word(parts: tuple[Pattern, ...]) -> Iterable[Pattern]:
    """The parts up to and with the first that cannot be left out."""
    for part in parts:
        yield part
        if not part.may_be_empty:
            return


def _checked(pattern: Pattern) -> Pattern:
    if pattern.size > MAX_SIZE:
        raise PhraseError(f"it has more than {MAX_SIZE} words in all, families included")
    if pattern.longest > MAX_WORDS:
        raise PhraseError(f"it can be longer than {MAX_WORDS} words")
    return pattern


NOTHING = sequence(())
