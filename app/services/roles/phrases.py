"""The phrase language of cues: what a speech act sounds like, written as words and not as expressions.

    thank you for (calling|holding)    one of several; each may be several words
    [just] calling                     may be left out
    this is ... from                   up to 3 words between; `...6` up to 6
    apologi*                           every word that begins so
    {month}                            a family that the file names; {number} is built in

In phrases as in speech, case, punctuation, accents and apostrophes do not matter, an English contraction
equals its long form, and fillers ("um", "eh") are left out. Nothing repeats without end, so matching takes
time linear in the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

_USUAL_GAP = 3
_LEXEME = re.compile(
    r"(?P<space>\s+)|\.\.\.(?P<gap>\d?)|\{(?P<family>[a-z_]+)\}|(?P<mark>[()\[\]|])|(?P<word>[^\s()\[\]|{}]+)"
)
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´＇", "'"))
_WHOLE = {
    "can't": "can not", "cannot": "can not", "won't": "will not", "ain't": "is not", "let's": "let us",
    "im": "i am", "ive": "i have", "youre": "you are", "youve": "you have", "thats": "that is",
    "whats": "what is", "dont": "do not", "doesnt": "does not", "didnt": "did not", "cant": "can not",
    "wont": "will not", "gonna": "going to", "wanna": "want to", "ok": "okay", "yeah": "yes", "yep": "yes",
}  # fmt: skip
_SUFFIXES = {"n't": "not", "'m": "am", "'re": "are", "'ve": "have", "'ll": "will", "'d": "would"}
_TAKES_IS = frozenset(
    ("it", "that", "this", "he", "she", "what", "who", "where", "when", "how", "there", "here", "name")
)
_FILLERS = frozenset(("um", "umm", "uh", "uhm", "er", "erm", "hm", "hmm", "mm", "eh", "euh", "äh", "ähm"))
_NUMBER_WORDS = (
    "oh zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen",
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred",
    "thousand double",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez cien mil veinte treinta cuarenta cincuenta",
    "deux trois quatre cinq sept huit neuf dix cent mille vingt trente quarante cinquante soixante",
    "null eins zwei drei vier funf sechs sieben acht neun zehn hundert tausend zwanzig dreissig vierzig",
    "dois quatro sete oito nove dez cem vinte trinta quarenta cinquenta",
    "शून्य एक दो तीन चार पांच पाँच छह सात आठ नौ दस सौ हजार",
)  # "un" and "um" are articles more often than numbers
_NUMBERS = frozenset(" ".join(_NUMBER_WORDS).split())


class PhraseError(ValueError):
    """A phrase that cannot be read."""


@dataclass(frozen=True)
class Leaf:
    """One word: any of ``words``, or one that begins with one of ``prefixes``, or a ``number``."""

    words: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    number: bool = False

    def takes(self, word: str) -> bool:
        return (
            word in self.words
            or (self.number and is_number(word))
            or (bool(self.prefixes) and word.startswith(self.prefixes))
        )


@dataclass(frozen=True)
class Gap:
    """Up to ``most`` words of any kind."""

    most: int


@dataclass(frozen=True)
class Choice:
    """One of ``options``; where ``optional``, or nothing."""

    options: tuple[Pattern, ...]
    optional: bool = False


Pattern = tuple["Leaf | Gap | Choice", ...]
"""Parts that follow one another."""


def is_number(word: str) -> bool:
    return word[0].isdigit() or word in _NUMBERS


def words_of(text: str) -> tuple[str, ...]:
    """The words of ``text`` as phrases compare them; fillers are left out."""
    return tuple(word for chunk in text.split() for word in _spell_out(chunk))


@lru_cache(maxsize=50_000)
def _spell_out(chunk: str) -> tuple[str, ...]:
    kept = (
        letter if letter == "'" or unicodedata.category(letter)[0] in "LMN" else " "
        for letter in unicodedata.normalize("NFKC", chunk).casefold().translate(_APOSTROPHES)
    )
    words = (word.strip("'") for word in "".join(kept).split())
    return tuple(part for word in words if word and word not in _FILLERS for part in _parts(word) if part)


def _parts(word: str) -> tuple[str, ...]:
    if word in _WHOLE:
        return tuple(_WHOLE[word].split())
    for suffix, meaning in _SUFFIXES.items():
        if word.endswith(suffix) and len(word) > len(suffix):
            return (*_parts(word.removesuffix(suffix)), meaning)
    if word.endswith("'s"):
        stem = word.removesuffix("'s")
        return (stem, "is") if stem in _TAKES_IS else (stem,)
    return tuple(_plain(part) for part in word.split("'") if part)


def _plain(word: str) -> str:
    """Without the accents of Latin script; the vowel signs of other scripts are letters and stay."""
    apart = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(sign for sign in apart if not "\u0300" <= sign <= "\u036f"))


def read_phrase(text: str, families: Mapping[str, Pattern]) -> Pattern:
    """Parse ``text``; raises PhraseError."""
    try:
        pattern = _read(text, families)
    except PhraseError as error:
        raise PhraseError(f"{text!r}: {error}") from None
    if not pattern or isinstance(pattern[0], Gap) or (isinstance(pattern[0], Choice) and pattern[0].optional):
        raise PhraseError(f"{text!r}: it must begin with a word")
    return pattern


def _read(text: str, families: Mapping[str, Pattern]) -> Pattern:
    lexemes: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        found = _LEXEME.match(text, place)
        if found is None or found.lastgroup is None:
            raise PhraseError(f"{text[place:]!r} has no meaning here")
        if found.lastgroup != "space":
            lexemes.append((found.lastgroup, found[found.lastgroup]))
        place = found.end()
    options = _options(lexemes, families)
    if lexemes:
        raise PhraseError(f"{lexemes[0][1]!r} closes nothing")
    return options[0] if len(options) == 1 else (Choice(options),)


def _options(lexemes: list[tuple[str, str]], families: Mapping[str, Pattern]) -> tuple[Pattern, ...]:
    """Alternatives up to the bracket that closes them, or the end; takes them from ``lexemes``."""
    options: list[Pattern] = []
    parts: list[Leaf | Gap | Choice] = []
    while lexemes and lexemes[0] not in (("mark", ")"), ("mark", "]")):
        kind, text = lexemes.pop(0)
        if kind == "word":
            parts.extend(_leaves(text))
        elif kind == "gap":
            parts.append(Gap(int(text) if text else _USUAL_GAP))
        elif kind == "family":
            parts.extend(_family(text, families))
        elif text == "|":
            options.append(tuple(parts))
            parts = []
        else:
            inner = _options(lexemes, families)
            if not lexemes or lexemes.pop(0)[1] != {"(": ")", "[": "]"}[text]:
                raise PhraseError(f"{text!r} is not closed")
            parts.append(_one_of(inner, optional=text == "["))
    options.append(tuple(parts))
    if not all(options):
        raise PhraseError("an alternative is empty")
    return tuple(options)


def _one_of(options: tuple[Pattern, ...], optional: bool) -> Leaf | Choice:
    """A choice between single words is one leaf: it is asked once, and most choices are such."""
    leaves = [option[0] for option in options if len(option) == 1 and isinstance(option[0], Leaf)]
    if len(leaves) < len(options):
        return Choice(options, optional)
    merged = Leaf(
        frozenset(word for leaf in leaves for word in leaf.words),
        tuple(prefix for leaf in leaves for prefix in leaf.prefixes),
        any(leaf.number for leaf in leaves),
    )
    return Choice(((merged,),), optional=True) if optional else merged


def _family(name: str, families: Mapping[str, Pattern]) -> Pattern:
    if name == "number":
        return (Leaf(number=True),)
    if name not in families:
        raise PhraseError(f"there is no family {name!r} above it")
    return families[name]


def _leaves(text: str) -> Pattern:
    if text.endswith("*"):
        return (Leaf(prefixes=words_of(text.removesuffix("*"))),)
    return tuple(Leaf(words=frozenset({word})) for word in words_of(text))


def openers(pattern: Pattern) -> frozenset[str] | None:
    """The words that ``pattern`` may begin with; None where they cannot be listed."""
    first = pattern[0]
    if isinstance(first, Leaf):
        return first.words if not first.prefixes and not first.number else None
    if isinstance(first, Gap):
        return None
    found = [openers(option) for option in first.options]
    return None if None in found else frozenset(word for words in found if words for word in words)


def ends_of(pattern: Pattern, words: Sequence[str], start: int) -> set[int]:
    """Every place just after ``pattern``, if it begins at ``start``; empty where it does not."""
    places = {start}
    for part in pattern:
        reached: set[int] = set()
        for place in places:
            if isinstance(part, Gap):
                reached.update(range(place, min(place + part.most, len(words)) + 1))
            elif isinstance(part, Choice):
                reached.update(end for option in part.options for end in ends_of(option, words, place))
                if part.optional:
                    reached.add(place)
            elif place < len(words) and part.takes(words[place]):
                reached.add(place + 1)
        places = reached
    return places
