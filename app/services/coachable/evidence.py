"""The words of a segment that show a moment, with their places and times. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from app.schemas.moment import Evidence
from app.schemas.transcript import Segment, Word

_ROUNDING_S = 0.001


def evidence_of_span(segment: Segment, start: int, end: int) -> Evidence:
    """The characters ``start`` to ``end`` of the segment's text, and the words that they lie in."""
    begins = _word_starts(segment.words)
    first = bisect_right(begins, start) - 1
    last = bisect_right(begins, end - 1) - 1
    return Evidence(
        text=segment.text[start:end],
        start_char=start,
        end_char=end,
        start_s=segment.words[first].start_s,
        end_s=segment.words[last].end_s,
        first_word=first,
        last_word=last,
    )


def evidence_in_time(segment: Segment | None, start_s: float, end_s: float) -> Evidence:
    """The words of ``segment`` that are spoken between ``start_s`` and ``end_s``, if there are any."""
    words = segment.words if segment else ()
    spoken = [
        place
        for place, word in enumerate(words)
        if word.start_s < end_s - _ROUNDING_S and word.end_s > start_s + _ROUNDING_S and word.text.strip()
    ]
    if segment is None or not spoken:
        return Evidence("", 0, 0, start_s, end_s, 0, 0)
    first, last = spoken[0], spoken[-1]
    begins = _word_starts(words)
    start = begins[first] + len(words[first].text) - len(words[first].text.lstrip())
    end = begins[last] + len(words[last].text.rstrip())
    return Evidence(segment.text[start:end], start, end, start_s, end_s, first, last)


def _word_starts(words: Sequence[Word]) -> list[int]:
    """Where each word begins in the joined text; what stands before the text begins at or before 0."""
    joined = "".join(f" {word.text}" if word.space_before else word.text for word in words)
    place = len(joined.lstrip()) - len(joined)
    starts = []
    for word in words:
        place += word.space_before
        starts.append(place)
        place += len(word.text)
    return starts
