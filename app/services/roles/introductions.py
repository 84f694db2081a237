"""Tells whether somebody introduces themself by a given name."""

from __future__ import annotations

from collections.abc import Sequence

from app.services.roles.phrases import ends_of, read_phrase, words_of

_LEAD_INS = tuple(
    read_phrase(text, {})
    for text in (
        "(my name is|my first name is|this is|it is|i am|i'm called|you're speaking (with|to)|call me)",
        "(me llamo|mi nombre es|soy|le habla|habla|le atiende)",
        "(je m'appelle|je suis|c'est|mon nom est)",
        "(ich bin|ich heiße|mein name ist|hier ist|hier spricht|am apparat)",
        "(meu nome é|me chamo|aqui é [o|a]|eu sou [o|a]|sou [o|a]|quem fala é [o|a])",
        "(मेरा नाम|मैं|mera naam|main)",
    )
)
_AFTER = tuple(
    read_phrase(text, {}) for text in ("(here|speaking|calling|am apparat|al habla|à l'appareil|falando)",)
)
_SHORTEST_NAME = 2
_LONGEST_LEAD_IN = 5


def introduced(text: str, name: str) -> bool:
    """Whether ``text`` gives ``name`` as its speaker's own: "this is NAME", "NAME speaking".

    The first of its words is enough ("this is Tom" for "Tom Smith"). False for an empty name.
    """
    spoken = words_of(name)
    if not spoken or len(spoken[0]) < _SHORTEST_NAME:
        return False
    words = words_of(text)
    return any(
        word == spoken[0] and (_led_in(words, place) or _followed(words, place, spoken))
        for place, word in enumerate(words)
    )


def _led_in(words: Sequence[str], place: int) -> bool:
    starts = range(max(0, place - _LONGEST_LEAD_IN), place)
    return any(place in ends_of(pattern, words, start) for pattern in _LEAD_INS for start in starts)


def _followed(words: Sequence[str], place: int, spoken: Sequence[str]) -> bool:
    after = place + len(spoken) if words[place : place + len(spoken)] == spoken else place + 1
    return any(ends_of(pattern, words, after) for pattern in _AFTER)
