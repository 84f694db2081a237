"""Times for words that an engine gave none for, and the text of words that it gave bare."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from app.schemas.transcript import Word

# Ideographs and kana are written without spaces: each is a word, with the punctuation that follows it.
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_ALONE = re.compile(rf"[{_IDEOGRAPHS}]")
_WORD = re.compile(rf"[{_IDEOGRAPHS}][^\w\s]*|[^\s{_IDEOGRAPHS}]+")


def spread(text: str, start_s: float, end_s: float, confidence: float | None = None) -> tuple[Word, ...]:
    """The words of ``text``, one segment, spread over it by the length of their text and marked so.

    Seconds from any start. Where ``start_s`` or ``end_s`` is no number the words have no times yet, as
    ``interpolated`` takes them.
    """
    found = list(_WORD.finditer(text))
    letters = sum(len(match[0]) for match in found)
    words, before = [], 0
    for match in found:
        after = before + len(match[0])
        words.append(
            Word(
                match[0],
                start_s + (end_s - start_s) * before / letters,
                start_s + (end_s - start_s) * after / letters,
                confidence,
                space_before=_is_spaced(text, match.start()),
                ends_segment=match is found[-1],
                estimated=True,
            )
        )
        before = after
    return tuple(words)


def interpolated(words: Sequence[Word], length_s: float) -> list[Word]:
    """``words``, in the order given, with finite times alone; seconds in a window of ``length_s``.

    Times that are no numbers are put between their neighbours (for the first and the last, the ends of the
    window) by the length of the text in between, and their words marked. Other words stay as they are.
    """
    edges = [edge for word in words for edge in (word.start_s, word.end_s)]
    if all(map(math.isfinite, edges)):
        return list(words)
    places = _places(words)
    known = [index for index, edge in enumerate(edges) if math.isfinite(edge)]
    anchors = [(-1, 0, 0.0), *((i, places[i], min(max(edges[i], 0.0), length_s)) for i in known)]
    anchors.append((len(edges), places[-1], length_s))
    for (first, from_place, from_s), (last, to_place, to_s) in pairwise(anchors):
        pace = max(to_s - from_s, 0.0) / max(to_place - from_place, 1)
        for index in range(first + 1, last):
            edges[index] = from_s + pace * (places[index] - from_place)
    return [
        replace(word, start_s=start_s, end_s=end_s, estimated=True) if _lacks_times(word) else word
        for word, start_s, end_s in zip(words, edges[::2], edges[1::2], strict=True)
    ]


def written(words: Sequence[Word], text: str) -> list[Word]:
    """``words`` with the spaces and the punctuation that they have in ``text``.

    Some servers give words bare and the punctuation in the text alone. Words that are not the text's, each
    and in order, are left as they are.
    """
    spans = _found(words, text)
    if spans is None:
        return list(words)
    dressed = []
    before, is_spaced = text[: spans[0][0]].rpartition(" ")[2], True
    ends = [begin for begin, _ in spans[1:]] + [len(text)]
    for word, (begin, end), next_begin in zip(words, spans, ends, strict=True):
        gap = text[end:next_begin]
        after, *others = re.split(r"\s+", gap)
        dressed.append(replace(word, text=before + text[begin:end] + after, space_before=is_spaced))
        before, is_spaced = (others[-1], True) if others else ("", False)
    return dressed


def _is_spaced(text: str, at: int) -> bool:
    return text[at - 1].isspace() if at else not _ALONE.match(text)


def _found(words: Sequence[Word], text: str) -> list[tuple[int, int]] | None:
    """Where each word stands in ``text``; None where one is missing or letters are left over."""
    spans, at = [], 0
    for word in words:
        bare = word.text.strip()
        begin = text.find(bare, at)
        if not bare or begin < 0 or _has_letters(text[at:begin]):
            return None
        at = begin + len(bare)
        spans.append((begin, at))
    return spans if spans and not _has_letters(text[at:]) else None


def _has_letters(text: str) -> bool:
    return any(map(str.isalnum, text))


def _places(words: Sequence[Word]) -> list[int]:
    """How many letters come before each start and each end; a gap between two words takes none."""
    lengths = [max(len(word.text.strip()), 1) for word in words]
    starts = accumulate(lengths, initial=0)
    return [
        place for start, length in zip(starts, lengths, strict=False) for place in (start, start + length)
    ]


def _lacks_times(word: Word) -> bool:
    return not (math.isfinite(word.start_s) and math.isfinite(word.end_s))
