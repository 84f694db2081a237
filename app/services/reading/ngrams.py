"""An utterance as hashed character n-grams: a reader for languages that the network does not know. Pure."""

from __future__ import annotations

import math
import re
import unicodedata
import zlib
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from app.schemas.utterance import Utterance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHORTEST, LONGEST = 2, 5
_WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0962\u0963])*", re.UNICODE)
"""Letters and digits with their accents and, in Devanagari, vowel signs (which are no letters to Python)."""


def features(utterance: Utterance, buckets: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Places in [0, buckets) and their weights, of length 1 together (none for an empty text).

    The n-grams of 2 to 5 characters within each word, spaces at its ends included, each whole word and each
    pair of neighbours, counted as 1 + ln(count); and the roles of this speaker and of the one before. Case,
    accents that a recogniser may drop, and punctuation do not count, but for a question mark at the end.
    """
    import numpy as np

    counts: Counter[int] = Counter()
    words = words_of(utterance.text)
    for word in words:
        counts.update(_of_word(word, buckets))
    counts.update(_bucket(f"p {one} {two}", buckets) for one, two in pairwise(words))
    if not counts:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    if utterance.text.rstrip(" \"'”’)»").endswith(("?", "？")):
        counts[_bucket("?", buckets)] += 1
    scale = 1 / math.sqrt(sum((1 + math.log(count)) ** 2 for count in counts.values()))
    values = {bucket: (1 + math.log(count)) * scale for bucket, count in counts.items()}
    before = utterance.before.role if utterance.before else "none"
    for told in (f"role {utterance.role}", f"before {before}"):
        values[_bucket(told, buckets)] = values.get(_bucket(told, buckets), 0.0) + _TOLD
    return np.array(list(values), dtype=np.int64), np.array(list(values.values()), dtype=np.float32)


_TOLD = 0.3
"""Weight of a role beside words of length 1."""


def words_of(text: str) -> list[str]:
    """Its words in small letters, without the accents of Latin ones."""
    return [_plain(word.group()) for word in _WORD.finditer(unicodedata.normalize("NFC", text).casefold())]


def _plain(word: str) -> str:
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not "\u0300" <= c <= "\u036f"))


@lru_cache(maxsize=20_000)
def _of_word(word: str, buckets: int) -> tuple[int, ...]:
    """Of its n-grams and of the word itself; a call says the same words again and again."""
    return (*(_bucket(gram, buckets) for gram in _grams(f" {word} ")), _bucket(f"w {word}", buckets))


def _grams(word: str) -> list[str]:
    return [
        word[start : start + length]
        for length in range(SHORTEST, LONGEST + 1)
        for start in range(len(word) - length + 1)
    ]


def _bucket(feature: str, buckets: int) -> int:
    """The same on every machine and in every run, as ``hash`` is not."""
    return zlib.crc32(feature.encode(errors="surrogatepass")) % buckets
