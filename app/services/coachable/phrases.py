"""The phrase language of playbooks.

    too (expensive|pricey)    one of several; each may be several words
    [really] like             may be left out
    not ... ready             up to 3 words between; `...6` up to 6, never across the end of a sentence
    expens*                   every word that begins so
    {cancel}                  a family that the playbook names; {number} is built in
    ^sorry$                   only at the start (^) or end ($) of a sentence
    not ... @                 in `unless`: before (or, with the @ first, after) what was found

Case, punctuation, accents (not umlauts), apostrophes and hyphens do not matter, and a contraction equals its
long form; a word said twice in a row counts once.
There is no way to say "any number of times", so matching takes time linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from app.services.coachable.patterns import (
    Atom,
    Pattern,
    PhraseError,
    choice,
    optional,
    sequence,
    single,
    up_to,
)  # fmt: skip
from app.services.coachable.tokens import MARKS, fold, spell_out

MAX_CHARACTERS = 1_000
MAX_DEPTH = 12
MAX_GAP = 8
_USUAL_GAP = 3
_SHORTEST_PREFIX = 3
_LONGEST_NUMBER = 6

_LEXEME = re.compile(
    r"(?P<space>[\s\-]+)|\.\.\.(?P<gap>\d*)|\{(?P<family>[a-z_]+)\}|(?P<mark>[()\[\]|])"
    rf"|(?P<word>(?:[^\W_]|[{MARKS}])+(?:['’](?:[^\W_]|[{MARKS}])+)*\*?)"
)
_BESIDE = re.compile(
    r"@\s*(?:\.\.\.(?P<gap_after>\d*)\s)?\s*(?P<after>[^@]+)|(?P<before>[^@]+?)\s*(?:\.\.\.(?P<gap_before>\d*))?\s*@"
)
_ANYTHING = single(Atom(anything=True))
_NUMBER = sequence([single(Atom(number=True)), up_to(_LONGEST_NUMBER - 1, single(Atom(number=True)))])


class Place(Enum):
    """Where an `unless` phrase stands: over what was found, right before it or right after it."""

    OVER = "over"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Phrase:
    """A phrase ready to be matched. ``at_start``, ``at_end``: only at that edge of a sentence.

    ``reach``: how many words may lie between it and what was found, where its place is not over that.
    """

    pattern: Pattern
    at_start: bool = False
    at_end: bool = False
    place: Place = Place.OVER
    reach: int = 0


class FamilyError(PhraseError):
    """A family that cannot be read; ``family`` is its name."""

    def __init__(self, family: str, reason: str) -> None:
        super().__init__(reason)
        self.family = family


@dataclass(frozen=True, eq=False)
class Families:
    """Word families by name, ready to be used in phrases."""

    patterns: Mapping[str, Pattern]


BUILT_IN = Families({"number": _NUMBER})


def read_families(families: Mapping[str, Iterable[str]], known_before: Families = BUILT_IN) -> Families:
    """Each family is the choice of its phrases, which may use those before it and those ``known_before``.

    A name that was known before means the new family from here on. Raises FamilyError.
    """
    known = dict(known_before.patterns)
    for name, phrases in families.items():
        if name in BUILT_IN.patterns:
            raise FamilyError(name, "a family of this name is built in")
        try:
            known[name] = choice([_Parser(phrase, known).whole() for phrase in phrases])
        except PhraseError as error:
            raise FamilyError(name, str(error)) from None
    return Families(known)


@lru_cache(maxsize=8_192)
def read_phrase(text: str, families: Families, exclusion: bool) -> Phrase:
    """Parse one phrase; only an ``exclusion`` may hold an @. Raises PhraseError."""
    body, place, reach = text.strip(), Place.OVER, 0
    if found := _BESIDE.fullmatch(body):
        place = Place.AFTER if found["after"] else Place.BEFORE
        body = found["after"] or found["before"]
        gap = found["gap_after"] if found["after"] else found["gap_before"]
        reach = _gap_limit(gap) if gap is not None else 0
        if not exclusion:
            raise PhraseError("@ is only for `unless`")
    at_start, at_end = body.startswith("^"), body.endswith("$")
    pattern = _Parser(body.removeprefix("^").removesuffix("$"), families.patterns).whole()
    if pattern.may_be_empty:
        raise PhraseError("it holds no word that must be there")
    if pattern.gap_first or pattern.gap_last:
        raise PhraseError("a gap needs words on both sides")
    return Phrase(pattern, at_start, at_end, place, reach)


def _gap_limit(digits: str) -> int:
    limit = int(digits) if digits else _USUAL_GAP
    if not 1 <= limit <= MAX_GAP:
        raise PhraseError(f"a gap is of 1 to {MAX_GAP} words")
    return limit


class _Parser:
    """Recursive descent over one phrase; the depth is bounded."""

    def __init__(self, text: str, families: Mapping[str, Pattern]) -> None:
        if len(text) > MAX_CHARACTERS:
            raise PhraseError(f"it is longer than {MAX_CHARACTERS} characters")
        self._families = families
        self._lexemes = _lex(text)
        self._next = 0

    def whole(self) -> Pattern:
        pattern = self._alternatives(0)
        if self._next < len(self._lexemes):
            raise PhraseError(f"{self._lexemes[self._next][1]!r} closes nothing")
        return pattern

    def _alternatives(self, depth: int) -> Pattern:
        if depth > MAX_DEPTH:
            raise PhraseError(f"its brackets are more than {MAX_DEPTH} deep")
        options = [self._sequence(depth)]
        while self._taken("|"):
            options.append(self._sequence(depth))
        return choice(options)

    def _sequence(self, depth: int) -> Pattern:
        parts: list[Pattern] = []
        while self._next < len(self._lexemes):
            kind, text = self._lexemes[self._next]
            if kind == "mark" and text in "|)]":
                break
            self._next += 1
            parts.append(self._bracket(text, depth) if kind == "mark" else self._leaf(kind, text))
        if not parts:
            raise PhraseError("it is empty, or one of its alternatives is")
        return parts[0] if len(parts) == 1 else sequence(parts)

    def _bracket(self, opening: str, depth: int) -> Pattern:
        inner = self._single_words() or self._alternatives(depth + 1)
        if not self._taken(")" if opening == "(" else "]"):
            raise PhraseError(f"{opening!r} is not closed")
        return inner if opening == "(" else optional(inner)

    def _single_words(self) -> Pattern | None:
        """``a|b|c`` as one leaf, made at once: most brackets hold nothing else, and a start waits for it."""
        atoms: list[Atom] = []
        place = self._next
        while place + 1 < len(self._lexemes) and self._lexemes[place][0] == "word":
            atom = _word(self._lexemes[place][1]).atom
            mark = self._lexemes[place + 1]
            if atom is None or mark[0] != "mark" or mark[1] in "([":
                return None
            atoms.append(atom)
            if mark[1] != "|":
                self._next = place + 1
                return single(Atom.any_of(atoms))
            place += 2
        return None

    def _leaf(self, kind: str, text: str) -> Pattern:
        if kind == "gap":
            return up_to(_gap_limit(text), _ANYTHING)
        if kind == "family":
            if text not in self._families:
                raise PhraseError(f"there is no family {text!r} above it")
            return self._families[text]
        return _word(text)

    def _taken(self, mark: str) -> bool:
        if self._next < len(self._lexemes) and self._lexemes[self._next] == ("mark", mark):
            self._next += 1
            return True
        return False


def _lex(text: str) -> list[tuple[str, str]]:
    lexemes: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        found = _LEXEME.match(text, place)
        if found is None:
            raise PhraseError(f"{text[place]!r} has no meaning here")
        place = found.end()
        kind = str(found.lastgroup)
        if kind != "space":
            lexemes.append((kind, found.group(kind)))
    return lexemes


@lru_cache(maxsize=10_000)
def _word(text: str) -> Pattern:
    if text.endswith("*"):
        if len(text) <= _SHORTEST_PREFIX:
            raise PhraseError(f"{text!r}: write at least {_SHORTEST_PREFIX} letters before *")
        return single(Atom(prefixes=frozenset({fold(text[:-1])})))
    words = spell_out(text)
    if not words:
        raise PhraseError(f"{text!r} is never heard: fillers are left out")
    return sequence(single(Atom(words=frozenset({word}))) for word in words)
