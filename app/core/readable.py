"""Which text people may hand in: what can be read, and nothing that disguises other text."""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"
"""Persian and Indic words, and emoji of several signs, are not spelled without them."""
_MARKS = "\u200e\u200f\u061c"
"""Say which way neighbouring signs run; they turn nothing round as embeddings and overrides do."""
_FORMATTING = frozenset(_JOINERS + _MARKS + "\u00ad")


def is_readable(text: str) -> bool:
    """Whether ``text`` is one line without control characters; blanks of every width may be in it."""
    return all(
        sign.isprintable() or sign in _FORMATTING or unicodedata.category(sign) == "Zs" for sign in text
    )
