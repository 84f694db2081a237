"""Weighs what each party of a call says: how far it speaks for an agent, and how far for a customer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.services.roles.cues import DEFAULT_LANGUAGE, Act, Cues, cues_of
from app.services.roles.phrases import words_of

_OPENING_TURNS = 2
"""Of each party: greetings and reasons are said in them or not at all."""
_EARLY_TURNS = 6
_EARLY_FACTOR = 1.3
"""Of the call: until then the two still say who they are and what they want."""
_REPEAT_FACTOR = 0.6
"""What an act heard again adds, against the time before; so that none alone decides a long call."""
_LEANING_WEIGHT = 3.0
_LEANING_PRIOR = 5.0
"""So many words of either kind must be said before they count half."""


@dataclass(frozen=True)
class PartyTurn:
    """What one party says until another speaks."""

    party: str
    text: str


@dataclass(frozen=True)
class Heard:
    """An act heard in a turn. ``weight`` is above 0 where it speaks for an agent, below for a customer."""

    party: str
    turn: int
    act: str
    weight: float


def hear(turns: Sequence[PartyTurn], language: str | None) -> tuple[Heard, ...]:
    """Every act in ``turns``, in order. ``language`` is an ISO 639-1 code; None counts as English.

    English is always listened for too: calls in other languages borrow its set phrases.
    """
    listened = _listened_for(language)
    spoken_before: Counter[str] = Counter()
    heard_before: Counter[tuple[str, str]] = Counter()
    found: list[Heard] = []
    for place, turn in enumerate(turns):
        words = words_of(turn.text)
        opening = spoken_before[turn.party] < _OPENING_TURNS
        spoken_before[turn.party] += 1
        for act in _acts(listened, words, opening):
            weight = act.weight * _REPEAT_FACTOR ** heard_before[turn.party, act.act]
            weight *= _EARLY_FACTOR if place < _EARLY_TURNS else 1.0
            heard_before[turn.party, act.act] += 1
            found.append(Heard(turn.party, place, act.act, weight if act.role == "agent" else -weight))
    return tuple(found)


def leaning(turns: Iterable[PartyTurn], language: str | None) -> dict[str, float]:
    """For each party, how far it speaks of its listener ("you", "your") rather than of itself ("I", "my").

    In [-1, 1], times a weight; 0 where it says neither. A call is about the customer, whatever is sold, so
    that the agent's is the higher one; it only tells two parties apart, and means nothing by itself.
    """
    listened = _listened_for(language)[0]
    said: dict[str, Counter[str]] = {}
    for turn in turns:
        said.setdefault(turn.party, Counter()).update(words_of(turn.text))
    found = {}
    for party, words in said.items():
        you, me = (sum(words[word] for word in group) for group in (listened.you, listened.me))
        found[party] = _LEANING_WEIGHT * (you - me) / (you + me + _LEANING_PRIOR)
    return found


def _listened_for(language: str | None) -> tuple[Cues, ...]:
    code = (language or DEFAULT_LANGUAGE).lower().partition("-")[0]
    found = [cues_of(name) for name in dict.fromkeys((code, DEFAULT_LANGUAGE))]
    return tuple(cues for cues in found if cues is not None)


def _acts(listened: Iterable[Cues], words: Sequence[str], opening: bool) -> list[Act]:
    """An act heard in two languages at once is heard once."""
    found = {act.act: act for cues in reversed(tuple(listened)) for act in cues.heard(words, opening)}
    return list(found.values())
