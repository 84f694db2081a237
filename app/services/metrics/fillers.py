"""Finds what a speaker says while the next words are not ready yet. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.schemas.metrics import Filler
from app.schemas.transcript import Segment
from app.services.metrics.intervals import seconds, within
from app.services.metrics.vocabulary import Phrase, Vocabulary
from app.services.metrics.voices import tokens_of

_LONGEST = 3
_MARKS = tuple(",;:.?!…—–-،。、।")


def find_fillers(
    segments: Sequence[Segment], vocabulary: Vocabulary | None, duration: int
) -> tuple[Filler, ...] | None:
    """Hesitations anywhere; asides where marks or the ends of the segment stand on both sides.

    What is part of a back-channel ("uh-huh") is none. ``duration``: of the recording, in milliseconds. None
    without a vocabulary.
    """
    if vocabulary is None:
        return None
    return tuple(filler for segment in segments for filler in _fillers_in(segment, vocabulary, duration))


def _fillers_in(segment: Segment, vocabulary: Vocabulary, duration: int) -> list[Filler]:
    tokens: list[tuple[str, int]] = [
        (token, place) for place, word in enumerate(segment.words) for token in tokens_of(word.text)
    ]
    found: list[Filler] = []
    at = 0
    while at < len(tokens):
        phrase = _phrase_at(segment, tokens, at, vocabulary)
        if phrase and phrase not in vocabulary.back_channels:
            first, last = (segment.words[tokens[place][1]] for place in (at, at + len(phrase) - 1))
            start, end = within(first.start_s, last.end_s, duration)
            found.append(
                Filler(segment.speaker, " ".join(phrase), seconds(start), seconds(end),
                       segment.index, tokens[at][1])
            )  # fmt: skip
        at += max(1, len(phrase))
    return found


def _phrase_at(segment: Segment, tokens: list[tuple[str, int]], at: int, vocabulary: Vocabulary) -> Phrase:
    """The longest filler, or back-channel of several tokens, that begins at ``at``; else nothing."""
    for size in range(min(_LONGEST, len(tokens) - at), 0, -1):
        phrase = tuple(token for token, _ in tokens[at : at + size])
        if phrase in vocabulary.hesitations or (size > 1 and phrase in vocabulary.back_channels):
            return phrase
        if phrase in vocabulary.asides and _set_off(segment, tokens[at][1], tokens[at + size - 1][1]):
            return phrase
    return ()


def _set_off(segment: Segment, first: int, last: int) -> bool:
    words = segment.words
    before = first == 0 or words[first - 1].text.rstrip().endswith(_MARKS)
    after = words[last].text.rstrip().endswith(_MARKS) or (
        last + 1 < len(words) and words[last + 1].text.lstrip().startswith(_MARKS)
    )
    return before and after
