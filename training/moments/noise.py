"""Makes written talk look as a speech recogniser gives it: no marks, no capitals, words misheard or lost."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

from app.schemas.utterance import Before, Utterance

_FILLERS = ("um", "uh", "like", "you know", "i mean", "so", "well", "yeah")
_MISHEARD = {
    "their": "there", "there": "their", "your": "you're", "you're": "your", "to": "too", "too": "to",
    "its": "it's", "know": "no", "write": "right", "right": "write", "buy": "by", "by": "buy", "for": "four",
    "one": "won", "would": "wood", "here": "hear", "hear": "here", "week": "weak", "are": "our", "our": "are",
    "than": "then", "then": "than", "accept": "except", "sell": "cell", "price": "prize", "cost": "cast",
    "quote": "coat", "plan": "plant", "of": "have", "them": "then", "we're": "were", "he's": "his",
    "need": "knead", "weeks": "weak", "where": "wear", "whole": "hole", "wait": "weight", "site": "sight",
    "in": "and", "and": "in", "can": "can't", "sale": "sail", "month": "months", "fee": "free",
}  # fmt: skip
_SPOKEN = {"going to": "gonna", "want to": "wanna", "got to": "gotta", "kind of": "kinda", "let me": "lemme"}
LEVELS = (0.0, 1.0, 2.0, 3.0)


def as_heard(utterance: Utterance, rng: Random) -> Utterance:
    """``utterance`` and the turn before it, as heard on a line that is now good, now bad."""
    level = rng.choice(LEVELS)
    before = utterance.before
    return replace(
        utterance,
        text=_heard(utterance.text, rng, level),
        before=Before(before.role, _heard(before.text, rng, level)) if before else None,
    )


def _heard(text: str, rng: Random, level: float) -> str:
    plain = re.sub(r"[^\w\s']", " ", text.lower())
    for written, spoken in _SPOKEN.items():
        if rng.random() < 0.3:
            plain = plain.replace(written, spoken)
    words: list[str] = []
    for word in plain.split():
        words += _word(word, rng, level)
    return " ".join(words) or text


def _word(word: str, rng: Random, level: float) -> list[str]:
    chance = rng.random()
    if chance < 0.03 * level:
        return []
    if chance < 0.06 * level:
        word = _MISHEARD.get(word, word)
    elif chance < 0.07 * level and len(word) > 4:
        lost = rng.randrange(1, len(word) - 1)
        word = word[:lost] + word[lost + 1 :]
    said = [word, word] if rng.random() < 0.015 * level else [word]
    return [rng.choice(_FILLERS), *said] if rng.random() < 0.02 * level else said
