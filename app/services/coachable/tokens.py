"""Words as rules compare them: lower case, unpunctuated, contractions spelt out, tied to their characters."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import accumulate, islice
from operator import eq, itemgetter
from typing import NamedTuple

_APOSTROPHES = "'’‘ʼ`´＇"
_LETTER = r"[^\W\d_]"
MARKS = r"\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u200c\u200d"
"""What belongs to the letter before it, as a character class: accents, Devanagari vowels and joiners."""
_INNER = rf"(?:[^\W_]++|[{MARKS}]++)"
_CHUNK = re.compile(
    rf"({_LETTER}{_INNER}*+(?:[{_APOSTROPHES}]{_INNER}++){{0,3}}|\d+(?:[.,:]\d+)*|[%$€£&])", re.UNICODE
)
"""A written word. Runs of letters are read at once and never again, which makes it a quarter quicker."""
_SENTENCE_END = re.compile(r"(?<!\.)[.;](?=[\"”’')\]]*(?:\s|$))|[?!।॥]")

_SYMBOLS = {"%": "percent", "$": "dollars", "€": "euros", "£": "pounds", "&": "and"}
_FILLERS = frozenset((
    "um", "umm", "uh", "uhh", "uhm", "er", "erm", "hm", "hmm", "mm", "mmm", "ah", "euh", "heu", "äh", "ähm",
))  # fmt: skip
_ABBREVIATIONS = frozenset({"mr", "mrs", "ms", "dr", "st", "vs", "etc", "inc", "ltd", "approx"})
_SPELT_OUT = {
    "ain't": "is not", "can't": "can not", "cannot": "can not", "cant": "can not", "won't": "will not",
    "wont": "will not", "shan't": "shall not", "dont": "do not", "doesnt": "does not", "didnt": "did not",
    "isnt": "is not", "arent": "are not", "wasnt": "was not", "werent": "were not", "havent": "have not",
    "hasnt": "has not", "hadnt": "had not", "couldnt": "could not", "wouldnt": "would not",
    "shouldnt": "should not", "let's": "let us", "im": "i am", "ive": "i have", "youre": "you are",
    "youve": "you have", "youll": "you will", "theyre": "they are", "theyve": "they have",
    "weve": "we have", "thats": "that is", "whats": "what is", "gonna": "going to", "wanna": "want to",
    "gotta": "got to", "gimme": "give me", "lemme": "let me", "kinda": "kind of", "sorta": "sort of",
    "dunno": "do not know", "em": "them", "y'all": "you all", "ok": "okay", "alright": "all right",
    "yeah": "yes", "yep": "yes", "yup": "yes", "followup": "follow up", "signoff": "sign off",
}  # fmt: skip
_SUFFIXES = {"n't": "not", "'m": "am", "'re": "are", "'ve": "have", "'ll": "will", "'d": "would"}
_ELIDED = frozenset((
    "c", "d", "j", "l", "m", "n", "s", "t", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "quelqu", "presqu",
))  # fmt: skip
"""What stands before the apostrophe of a French elision."""
_SPELLINGS = str.maketrans({
    **dict.fromkeys("\u0300\u0301\u0302\u0303\u0327\u093c\u200c\u200d"), "\u0901": "\u0902",
})  # fmt: skip
"""Marks that writers and recognisers leave out or exchange: all accents but the umlaut, which tells "hätte"
from "hatte"; the nukta; chandrabindu, for which many write anusvara."""
_TAKES_IS = frozenset((
    "it", "that", "this", "he", "she", "what", "who", "where", "when", "how", "why", "there", "here",
    "everything", "something", "nothing", "everyone", "everybody", "somebody", "someone", "one",
    "which",
))  # fmt: skip
_NUMBERS = frozenset((
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand",
    "million", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
    "tenth", "eleventh", "twelfth", "fifteenth", "twentieth", "thirtieth",
))  # fmt: skip


_FIRST = itemgetter(0)


class Sentence(NamedTuple):
    """Tokens ``first`` to ``last`` (both in it). ``end`` is its closing mark, "" where none is written."""

    first: int
    last: int
    end: str


class Tokens:
    """The words of a text, normalised, without fillers and stammered repeats, and its sentences.

    ``origins``: the number of the written word that each came from; those of one contraction share it.
    ``pieces``: the text as what lies between written words and these, in turn.
    """

    __slots__ = ("_edges", "_origins", "_pieces", "sentences", "words")

    def __init__(
        self,
        words: Sequence[str],
        sentences: Sequence[Sentence],
        origins: Sequence[int],
        pieces: Sequence[str],
    ) -> None:
        self.words = words
        self.sentences = sentences
        self._origins = origins
        self._pieces = pieces
        self._edges: list[int] | None = None

    def sentence_at(self, place: int) -> Sentence:
        return self.sentences[bisect_right(self.sentences, place, key=_FIRST) - 1]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The first character of the token ``first``, and the one after the last of the token ``last``."""
        edges = self._ends_of_pieces()
        return edges[2 * self._origins[first]], edges[2 * self._origins[last] + 1]

    def within(self, start: int, end: int) -> tuple[int, int]:
        """The first token that ends after the character ``start``, and the last that begins before ``end``.

        Where there is none between, the last stands before the first.
        """
        edges = self._ends_of_pieces()
        first = bisect_right(self._origins, start, key=lambda origin: edges[2 * origin + 1])
        return first, bisect_left(self._origins, end, key=lambda origin: edges[2 * origin]) - 1

    def _ends_of_pieces(self) -> list[int]:
        # In most texts nothing is found, and no character is asked for.
        if self._edges is None:
            self._edges = list(accumulate(map(len, self._pieces)))
        return self._edges


def is_number(word: str) -> bool:
    return word[0].isdigit() or word in _NUMBERS


def fold(text: str) -> str:
    """``text`` in lower case, without the marks that are often left out."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFKC", decomposed.translate(_SPELLINGS))


@lru_cache(maxsize=50_000)
def spell_out(chunk: str) -> tuple[str, ...]:
    """The normalised words of one written word; none for a filler."""
    word = fold(chunk)
    for mark in _APOSTROPHES:
        word = word.replace(mark, "'")
    if word in _FILLERS:
        return ()
    known = _SYMBOLS.get(word) or _SPELT_OUT.get(word)
    if known:
        return tuple(known.split())
    for suffix, meaning in _SUFFIXES.items():
        if word.endswith(suffix) and len(word) > len(suffix):
            return (*spell_out(word[: -len(suffix)]), meaning)
    if word.endswith("'s"):
        return (word[:-2], "is") if word[:-2] in _TAKES_IS else (word[:-2],)
    before, apostrophe, after = word.partition("'")
    if apostrophe and before in _ELIDED:
        return (before, *spell_out(after))
    return (word.replace("'", ""),)


def tokenise(text: str) -> Tokens:
    """Cut ``text`` into tokens and sentences; linear in its length.

    Of a usual text no word is looked at by itself: lists are made and compared as wholes.
    """
    pieces = _CHUNK.split(text)
    spelt = [spell_out(chunk) for chunk in pieces[1::2]]
    words = [word for of_chunk in spelt for word in of_chunk]
    origins = [number for number, of_chunk in enumerate(spelt) for _ in of_chunk]
    ends = _sentence_ends(pieces, words, origins)
    if any(map(eq, words, islice(words, 1, None))):
        kept = _without_repeats(words, ends)
        ends = {bisect_left(kept, place): mark for place, mark in ends.items()}
        words, origins = [words[place] for place in kept], [origins[place] for place in kept]
    sentences: list[Sentence] = []
    first = 0
    for following, mark in ends.items():
        sentences.append(Sentence(first, following - 1, mark))
        first = following
    return Tokens(words, sentences, origins, pieces)


def _sentence_ends(pieces: Sequence[str], words: Sequence[str], origins: Sequence[int]) -> dict[int, str]:
    """Where sentences end, as the place of the word that follows, with the mark there."""
    ends: dict[int, str] = {}
    for number, between in enumerate(pieces[2:-1:2], 1):
        if between != " ":  # which parts nearly all words
            following = bisect_left(origins, number)
            reached = between + pieces[2 * number + 1][0]
            if following and (mark := _closing_mark(reached, words[following - 1])):
                ends.setdefault(following, mark)
    if words:
        ends.setdefault(len(words), _closing_mark(pieces[-1], words[-1]))
    return ends


def _without_repeats(words: Sequence[str], ends: Collection[int]) -> list[int]:
    """The places of ``words`` but for those that only say the one before them again."""
    return [
        place
        for place, word in enumerate(words)
        if place == 0 or place in ends or word != words[place - 1] or is_number(word)
    ]


def _closing_mark(between: str, word: str) -> str:
    """The mark that ends a sentence between ``word`` and the next, or ""; ``between`` ends with the next's
    first character, if there is a next."""
    if len(between) <= 2 and between[:1] in ("", " "):
        return ""
    found = _SENTENCE_END.search(between)
    if found is None:
        return ""
    if "?" in between:
        return "?"
    abbreviated = word in _ABBREVIATIONS or (len(word) == 1 and word != "i" and not word.isdigit())
    return "" if found.group() == "." and abbreviated else found.group()
