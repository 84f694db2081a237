"""Cuts a segment into clauses, so that the one that carries a moment can be shown. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

LEAST_WORDS = 3
"""A shorter piece ("Well,", "love") is no clause by itself, unless its sentence is that short."""
LONG_WORDS = 9
"""From this length on a piece without a mark is cut at its conjunctions too: recognisers write no marks."""

_SENTENCE_END = re.compile(
    r"(?<!\bMr)(?<!\bDr)(?<!\bMs)(?<!\bSt)(?<!\bMrs)[.!?…;](?=[\"'”’)\]]*(?:\s|$))[\"'”’)\]]*|[।。！？]|\n+"
)
_MARK = re.compile(r"[,:](?=\s)|(?<=\s)[-–—](?=\s)|—")
_JOINT = re.compile(
    r"(?<=\s)(?:but|because|cause|so|although|though|unless|until|since|whereas|however|"
    r"and (?:then|so|if|we|i|you|they|he|she|it|that|this|the|our|my)|or (?:we|i|you|they|it)|"
    r"if (?:we|i|you|they|it|he|she|the)|when (?:we|i|you|they|it|the)|which|um|uh|"
    r"you know|i mean|pero|porque|aunque|mais|parce que|alors|donc|mas|então|aber|weil|obwohl|"
    r"लेकिन|मगर|क्योंकि|तो)(?=\s)",
    re.IGNORECASE,
)
_EDGE = " \t\r\n,;:-–—"

Span = tuple[int, int]


def clauses(text: str) -> list[Span]:
    """The clauses of ``text`` in order, as characters (from, to), without spaces and joining marks at their
    edges. Every letter lies in one; none where there is no letter."""
    found: list[Span] = []
    for sentence in _pieces(text, (0, len(text)), _SENTENCE_END):
        parts: list[Span] = []
        for piece in _joined(text, _pieces(text, sentence, _MARK)):
            parts += _cut_at_joints(text, piece)
        found += parts
    trimmed = (_trimmed(text, span) for span in found)
    return [span for span in trimmed if any(letter.isalnum() for letter in text[slice(*span)])]


def _pieces(text: str, span: Span, border: re.Pattern[str]) -> list[Span]:
    ends = [match.end() for match in border.finditer(text, *span)]
    return [(start, end) for start, end in pairwise((span[0], *ends, span[1])) if start < end]


def _cut_at_joints(text: str, span: Span) -> Iterable[Span]:
    if _words(text, span) < LONG_WORDS:
        return [span]
    starts = [match.start() for match in _JOINT.finditer(text, *span)]
    return _joined(text, [each for each in pairwise((span[0], *starts, span[1])) if each[0] < each[1]])


def _joined(text: str, spans: Iterable[Span]) -> list[Span]:
    """What is too short goes with what follows it, at the end with what came before."""
    joined: list[Span] = []
    start: int | None = None
    for span in spans:
        start = span[0] if start is None else start
        if _words(text, (start, span[1])) >= LEAST_WORDS:
            joined.append((start, span[1]))
            start = None
        last = span[1]
    if start is not None:
        joined.append((joined.pop()[0] if joined else start, last))
    return joined


def _words(text: str, span: Span) -> int:
    return sum(any(letter.isalnum() for letter in word) for word in text[slice(*span)].split())


def _trimmed(text: str, span: Span) -> Span:
    start, end = span
    while start < end and text[start] in _EDGE:
        start += 1
    while end > start and text[end - 1] in _EDGE:
        end -= 1
    return start, end
