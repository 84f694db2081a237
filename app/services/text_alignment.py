"""The words of a corrected text, with the times of the words that it corrects. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import accumulate, pairwise

from app.schemas.transcript import Word, join_words
from app.services.stt.word_times import spread

_MOST_GLUED = 12
"""Words written without spaces between them that may have been heard as one."""


def one_line(text: str) -> str:
    """The text as segments hold it: words with single spaces between them."""
    return " ".join(text.split())


def corrected_words(words: Sequence[Word], text: str) -> tuple[Word, ...]:
    """The words of ``text``, which joined are ``one_line(text)``. Neither may be empty.

    Words that were heard keep their times and confidence, also where only capitals or punctuation differ.
    Of the others as many as the words whose place they take have the times of these, one by one; else they
    are spread over their time, or stand at the place where they were left out. Those are marked as estimated
    and have no confidence. Words that are gone leave no trace.
    """
    old = _heard_units(words)
    new = _written_units(one_line(text), {unit.text for unit in old if len(unit.text) > 1})
    keys, new_keys = [_key(unit.text) for unit in old], [_key(unit.text) for unit in new]
    found: list[Word] = []
    steps = SequenceMatcher(None, keys, new_keys, autojunk=False).get_opcodes()
    for kind, old_from, old_to, new_from, new_to in steps:
        if kind == "equal":
            pairs = zip(old[old_from:old_to], new[new_from:new_to], strict=True)
            found += [word for heard, written in pairs for word in _kept(heard, written)]
        elif kind != "delete":
            times = _times(old, old_from, old_to, new[new_from:new_to])
            found += [
                _estimated(unit, *span, words[0].channel)
                for unit, span in zip(new[new_from:new_to], times, strict=True)
            ]
    found = [replace(word, ends_segment=False) for word in found]
    found[0] = replace(found[0], space_before=words[0].space_before)
    found[-1] = replace(found[-1], ends_segment=words[-1].ends_segment)
    return tuple(found)


@dataclass(frozen=True)
class _Unit:
    """What counts as one word: in text of its own, or the words that were heard for it."""

    text: str
    space_before: bool
    words: tuple[Word, ...] = ()

    @property
    def start_s(self) -> float:
        return self.words[0].start_s

    @property
    def end_s(self) -> float:
        return max(word.end_s for word in self.words)


def _heard_units(words: Sequence[Word]) -> list[_Unit]:
    """Words in groups that end where both a heard and a written word do ("don" and "'t" are one)."""
    text = join_words(words)
    ends = set(accumulate(_written_lengths(text)))
    units, group, at = [], list[Word](), 0
    for word in words:
        group.append(word)
        at += len("".join(word.text.split()))
        if at in ends or word is words[-1]:
            units.append(_Unit(join_words(group), group[0].space_before, tuple(group)))
            group = []
    return units


def _written_lengths(text: str) -> Iterator[int]:
    return (len(word.text) for word in spread(text, 0.0, 0.0))


def _written_units(text: str, known: set[str]) -> list[_Unit]:
    """The written words; those without spaces between them are one where they were heard as one."""
    words = spread(text, 0.0, 0.0)
    units, at = [], 0
    while at < len(words):
        until = at + 1
        for end in range(at + 1, min(at + _MOST_GLUED, len(words))):
            if words[end].space_before:
                break
            if "".join(word.text for word in words[at : end + 1]) in known:
                until = end + 1
        units.append(_Unit("".join(word.text for word in words[at:until]), words[at].space_before))
        at = until
    return units


def _key(text: str) -> str:
    """What makes two words the same: their letters, where they have any."""
    return "".join(filter(str.isalnum, text.casefold())) or text


def _kept(heard: _Unit, written: _Unit) -> list[Word]:
    first, *others = heard.words
    if heard.text == written.text:
        return [replace(first, space_before=written.space_before), *others]
    whole = _estimated(written, heard.start_s, heard.end_s, first.channel)
    estimated = any(word.estimated for word in heard.words)
    return [replace(whole, confidence=first.confidence, estimated=estimated)]


def _estimated(unit: _Unit, start_s: float, end_s: float, channel: int | None) -> Word:
    return Word(unit.text, start_s, end_s, None, unit.space_before, channel=channel, estimated=True)


def _times(
    old: Sequence[_Unit], old_from: int, old_to: int, new: Sequence[_Unit]
) -> list[tuple[float, float]]:
    """From when to when each of ``new`` is said, which stand for the old ones from one place to the other."""
    gone = old[old_from:old_to]
    if len(gone) == len(new):
        return [(unit.start_s, unit.end_s) for unit in gone]
    if gone:
        start_s, end_s = gone[0].start_s, max(unit.end_s for unit in gone)
    else:
        start_s, end_s = _gap(old, old_from)
    edges = list(accumulate((len(unit.text) for unit in new), initial=0))
    pace = (end_s - start_s) / edges[-1]
    return [(start_s + pace * a, start_s + pace * b) for a, b in pairwise(edges)]


def _gap(old: Sequence[_Unit], at: int) -> tuple[float, float]:
    """The time before the word at this place; before the first and after the last there is none."""
    if at == 0:
        return old[0].start_s, old[0].start_s
    if at == len(old):
        return old[-1].end_s, old[-1].end_s
    before_s, after_s = old[at - 1].end_s, old[at].start_s
    return (before_s, after_s) if before_s <= after_s else (after_s, after_s)
