"""Words as rules compare them: lower case, unpunctuated, contractions spelt out, tied to their characters."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache

_APOSTROPHES = "'’‘ʼ`´＇"
_LETTER = r"[^\W\d_]"
MARKS = r"\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u200c\u200d"
"""What belongs to the letter before it, as a character class: accents, Devanagari vowels and joiners."""
_INNER = rf"[^\W_]|[{MARKS}]"
_CHUNK = re.compile(
    rf"\d+(?:[.,:]\d+)*|{_LETTER}(?:{_INNER})*(?:[{_APOSTROPHES}](?:{_INNER})+){{0,3}}|[%$€£&]", re.UNICODE
)
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


@dataclass(frozen=True)
class Sentence:
    """Tokens ``first`` to ``last`` (both in it). ``end`` is its closing mark, "" where none is written."""

    first: int
    last: int
    end: str


@dataclass(frozen=True)
class Tokens:
    """A text as parallel tuples: ``words[i]`` came from the characters ``starts[i]`` to ``ends[i]``.

    The words of one contraction share its characters. Fillers and stammered repeats are left out.
    """

    words: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    sentences: tuple[Sentence, ...]

    def sentence_at(self, place: int) -> Sentence:
        return self.sentences[bisect_right(self._firsts, place) - 1]

    @cached_property
    def _firsts(self) -> list[int]:
        return [sentence.first for sentence in self.sentences]


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
    """Cut ``text`` into tokens and sentences; linear in its length."""
    words: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    sentences: list[Sentence] = []
    first, previous_end, last = 0, 0, ""
    for chunk in _CHUNK.finditer(text):
        start, end = chunk.span()
        apart = text[previous_end:start] != " "  # quickly past what parts nearly all words
        if apart and words and (mark := _closing_mark(text[previous_end : start + 1], last)):
            if len(words) > first:
                sentences.append(Sentence(first, len(words) - 1, mark))
            first = len(words)
        previous_end = end
        for word in spell_out(chunk.group()):
            if word == last and len(words) > first and not is_number(word):
                continue
            last = word
            words.append(word)
            starts.append(start)
            ends.append(end)
    if len(words) > first:
        sentences.append(Sentence(first, len(words) - 1, _closing_mark(text[previous_end:], words[-1])))
    return Tokens(tuple(words), tuple(starts), tuple(ends), tuple(sentences))


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
