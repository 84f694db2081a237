"""An utterance as the reader's input: word pieces of what is said, with its role, and of the turn before."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.schemas.utterance import Utterance
from app.services.reading.clauses import clauses

Span = tuple[int, int]
ROLES = ("agent", "customer", "unknown")
_MARKS = 3
"""[CLS] and two [SEP]; their room is kept also where there is no second part."""


@dataclass(frozen=True)
class Window:
    """One input: ``ids`` and ``kinds`` (0: what is said, 1: the turn before), each as long as the other.

    ``clauses``: for each piece the place of its clause in ``clauses(text)``, -1 for what is not of the text.
    """

    ids: tuple[int, ...]
    kinds: tuple[int, ...]
    clauses: tuple[int, ...]

    @property
    def said(self) -> int:
        """How many pieces of the text it holds."""
        return sum(clause >= 0 for clause in self.clauses)


class PairEncoder:
    """Safe to share between threads: the tokenizer's truncation and padding are never touched, for to set
    them while another thread encodes raises "Already borrowed".

    ``vocabulary``: a file of BERT's word pieces, uncased. A window is at most ``longest`` pieces long, the
    last ``longest_before`` of the turn before included.
    """

    def __init__(self, vocabulary: Path, longest: int, longest_before: int) -> None:
        # The tokenizer would start a thread for every core, whatever ENGINE_THREADS says.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from tokenizers import BertWordPieceTokenizer

        self._tokenizer: Any = BertWordPieceTokenizer(str(vocabulary), lowercase=True)
        self._start = self._tokenizer.token_to_id("[CLS]")
        self._end = self._tokenizer.token_to_id("[SEP]")
        self.padding: int = self._tokenizer.token_to_id("[PAD]") or 0
        self._longest = longest
        self._longest_before = longest_before
        self._pieces_of_role = lru_cache(len(ROLES))(lambda role: tuple(self._encode(f"{role} :")[0]))

    def windows(self, utterance: Utterance, text_clauses: Sequence[Span] | None = None) -> list[Window]:
        """What is read of it: as a rule one window. A longer text is cut between clauses, a longer clause
        between pieces, so that every piece of it is in one window. None where the text holds no word."""
        text = utterance.text
        spans = clauses(text) if text_clauses is None else text_clauses
        ids, offsets = self._encode(text)
        if not ids:
            return []
        places = _places(offsets, spans)
        role = self._pieces_of_role(utterance.role if utterance.role in ROLES else "unknown")
        before = self._before(utterance)
        room = max(self._longest - _MARKS - len(role) - len(before), 1)
        return [self._window(role, ids[a:b], places[a:b], before) for a, b in _parts(places, room)]

    def _before(self, utterance: Utterance) -> tuple[int, ...]:
        before = utterance.before
        if before is None or not before.text.strip():
            return ()
        role = before.role if before.role in ROLES else "unknown"
        return tuple(self._encode(f"{role} : {before.text}")[0][-self._longest_before :])

    def _window(
        self, role: tuple[int, ...], ids: Sequence[int], places: Sequence[int], before: tuple[int, ...]
    ) -> Window:
        first = (self._start, *role, *ids, self._end)
        second = (*before, self._end) if before else ()
        none = -1
        clause_of = (none, *(none for _ in role), *places, none, *(none for _ in second))
        return Window((*first, *second), (0,) * len(first) + (1,) * len(second), clause_of)

    def _encode(self, text: str) -> tuple[list[int], list[Span]]:
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        return encoded.ids, encoded.offsets


def _places(offsets: Sequence[Span], spans: Sequence[Span]) -> list[int]:
    """For each piece the clause that it lies in; a mark between two belongs to the one before it."""
    places = []
    at = 0
    for start, _ in offsets:
        while at + 1 < len(spans) and start >= spans[at + 1][0]:
            at += 1
        places.append(at)
    return places


def _parts(places: Sequence[int], room: int) -> list[Span]:
    """Pieces (from, to) of each window of at most ``room``: as many whole clauses as fit."""
    parts = []
    start = 0
    while start < len(places):
        end = min(start + room, len(places))
        if end < len(places):
            border = end
            while border > start and places[border] == places[border - 1]:
                border -= 1
            end = border if border > start else end
        parts.append((start, end))
        start = end
    return parts
