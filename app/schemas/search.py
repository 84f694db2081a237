"""Search in transcripts: how words are told apart and compared, what is asked for, and where it was found."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u0900-\u0963\u0966-\u0dff"
)
"""Marks that belong to the letter before them; ``re`` counts them as no part of a word."""
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0edf\u1000-\u1049\u1780-\u17d3\u3041-\u30fa\u30fc-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Scripts without spaces between words, in which each character counts as a word."""
_WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])(?:[^\W_]|[{_MARKS}]))+")
_PLAIN_WORD = re.compile(r"[a-z0-9]+")
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")
_NO_WORD = re.compile(rf"(?![{_MARKS}])[\W_]+")
_CHUNK = re.compile(r'"([^"]*)("?)|[^\s"]+')
_QUOTES = str.maketrans("“”„‟«»", '""""""')
_LONGEST_WORD = 64
_BEFORE, _AROUND = 60, 200
"""Characters of a segment that are shown before the first mark, and in all."""
CUT = "…"


@dataclass(frozen=True)
class Token:
    """One word of a text: where it is, and what it is compared by."""

    start: int
    end: int
    folded: str


@dataclass(frozen=True)
class Term:
    """Words that follow one another in one segment; with ``is_open`` the last one may go on."""

    words: tuple[str, ...]
    is_open: bool = False

    @property
    def needle(self) -> str:
        """What ``words_of`` a text that holds the term contains."""
        return f" {' '.join(self.words)}{'' if self.is_open else ' '}"


@dataclass(frozen=True)
class TextQuery:
    """What a transcript must hold: all of ``terms``, in any order. Without terms nothing is found."""

    terms: tuple[Term, ...]

    @classmethod
    def of(cls, text: str) -> TextQuery:
        """Words and "quoted phrases"; the last word counts as a beginning while nothing closes it.

        What is written as one word but holds several ("don't", a run of Chinese) is a phrase. Takes any text.
        """
        text = text.translate(_QUOTES)
        terms: dict[Term, None] = {}
        for chunk in _CHUNK.finditer(text):
            tokens = tuple(tokens_of(chunk[0]))
            if tokens:
                is_open = chunk.end() == len(text) and tokens[-1].end == len(chunk[0])
                terms[Term(tuple(token.folded for token in tokens), is_open)] = None
        return cls(tuple(terms))


@dataclass(frozen=True)
class TextMatch:
    """A segment that holds what was searched for, or the part of it around the first match.

    ``marks``: start and end of each match in ``text``, in characters, in order. ``start_s``: of the segment.
    """

    segment: int
    start_s: float
    speaker: str
    role: str
    text: str
    marks: tuple[tuple[int, int], ...]


def tokens_of(text: str) -> Iterator[Token]:
    """The words of ``text``, compared without case, accents and width."""
    if text.isascii():
        for found in _PLAIN_WORD.finditer(text.lower()):
            yield Token(found.start(), found.end(), found[0][:_LONGEST_WORD])
        return
    for found in _WORD.finditer(text):
        folded = _fold(found[0])
        if folded:
            yield Token(found.start(), found.end(), folded)


def words_of(text: str) -> str:
    """The words of ``text`` with a blank before, between and after them; empty without words."""
    if text.isascii():
        words = [word[:_LONGEST_WORD] for word in _PLAIN_WORD.findall(text.lower())]
    else:
        words = [token.folded for token in tokens_of(text)]
    return f" {' '.join(words)} " if words else ""


def lines_of(segments: Iterable[str]) -> str:
    """``words_of`` the text of each segment, a line each."""
    return "\n".join(map(words_of, segments))


def gaps_in(indices: list[int]) -> list[int] | None:
    """``indices``, unless they say no more than the places of the lines do."""
    return None if indices == list(range(len(indices))) else indices


def best_line(query: TextQuery, lines: str) -> int | None:
    """The place of the first of the segments that hold most of the terms; None where none holds any."""
    best, most = None, 0
    needles = [term.needle for term in query.terms]
    for place, line in enumerate(lines.split("\n")):
        held = sum(needle in line for needle in needles)
        if held > most:
            best, most = place, held
    return best


def excerpt(query: TextQuery, text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """``text``, cut at words to what surrounds the first match, and the places of all matches in it."""
    tokens = tuple(tokens_of(text))
    marks = _joined(sorted(mark for term in query.terms for mark in _places(term, tokens)))
    if not marks:
        return text[:_AROUND], ()
    starts = [token.start for token in tokens]
    first = 0
    if len(text) > _AROUND and marks[0][0] > _BEFORE:
        first = next(start for start in starts if start >= marks[0][0] - _BEFORE)
    last = len(text)
    if last - first > _AROUND:
        ends = [token.end for token in tokens if token.end <= first + _AROUND]
        last = max([*ends[-1:], marks[0][1]])
    before = CUT if first else ""
    after = CUT if last < len(text) else ""
    shift = len(before) - first
    shown = tuple((start + shift, end + shift) for start, end in marks if end <= last)
    return f"{before}{text[first:last]}{after}", shown


def _fold(word: str) -> str:
    if word.isascii():
        return word.lower()[:_LONGEST_WORD]
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", word).casefold())
    composed = unicodedata.normalize("NFC", _ACCENTS.sub("", folded))
    return _NO_WORD.sub("", composed)[:_LONGEST_WORD]


def _places(term: Term, tokens: tuple[Token, ...]) -> Iterator[tuple[int, int]]:
    *whole, last = term.words
    size = len(term.words)
    for at in range(len(tokens) - size + 1):
        here = [token.folded for token in tokens[at : at + size]]
        ends = here[-1].startswith(last) if term.is_open else here[-1] == last
        if ends and here[:-1] == whole:
            yield tokens[at].start, tokens[at + size - 1].end


def _joined(marks: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Without overlaps."""
    joined: list[tuple[int, int]] = []
    for start, end in marks:
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return tuple(joined)
