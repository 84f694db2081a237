"""Cuts a text into pieces that a model can read whole, with nothing lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*\s+|[。！？]+|\n+")
_SPACE = re.compile(r"\s+")


def cut(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Halve ``text`` until ``fits`` says yes to every piece; the pieces carry all its characters but spaces.

    A cut falls on the end of the sentence nearest to the middle, else between two words, else (one giant
    word) in the middle of it. Halves, and not full windows with a rest, so that pieces are alike in length.
    """
    text = text.strip()
    if not text:
        return []
    if len(text) == 1 or fits(text):
        return [text]
    border = _border(text)
    return cut(text[:border], fits) + cut(text[border:], fits)


def sentences(text: str) -> list[str]:
    """The sentences of ``text``, without the space around them."""
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    bounds = [0, *ends, len(text)]
    pieces = (text[start:end].strip() for start, end in pairwise(bounds))
    return [piece for piece in pieces if piece]


def _border(text: str) -> int:
    middle = len(text) // 2
    quarter = len(text) // 4
    for pattern, margin in ((SENTENCE_END, max(1, quarter)), (_SPACE, 1)):
        spots = [match.end() for match in pattern.finditer(text)]
        inside = [spot for spot in spots if margin <= spot <= len(text) - margin]
        if inside:
            return min(inside, key=lambda spot: abs(spot - middle))
    return middle
