"""Each party of a conversation with its words in order and the stretches of speech that they make. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import category, normalize

from app.schemas.conversation import Conversation
from app.schemas.speaker import Role, Speaker
from app.services.metrics.intervals import milliseconds, within

CLOSED_GAP_MS = 300
"""Pauses in a party's words shorter than this are part of its speech."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word (no mere mark), its times in milliseconds within the recording, and its place in its segment."""

    tokens: tuple[str, ...]
    start: int
    end: int
    segment: int
    place: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words of one party from ``start`` to ``end`` (milliseconds)."""

    start: int
    end: int
    words: tuple[SpokenWord, ...]


@dataclass(frozen=True)
class Voice:
    """One party: ``words`` in order of start, ``stretches`` of them with gaps under 0.3 s closed."""

    speaker: Speaker
    words: tuple[SpokenWord, ...]
    stretches: tuple[Stretch, ...]


def voices_of(conversation: Conversation) -> tuple[Voice, ...]:
    """The parties, as the conversation lists them; one that it does not list has no role."""
    duration = milliseconds(conversation.duration_s)
    words: dict[str, list[SpokenWord]] = {speaker.id: [] for speaker in conversation.speakers}
    for segment in conversation.segments:
        heard = words.setdefault(segment.speaker, [])
        for place, word in enumerate(segment.words):
            if tokens := tokens_of(word.text):
                start, end = within(word.start_s, word.end_s, duration)
                heard.append(SpokenWord(tokens, start, end, segment.index, place))
    known = {speaker.id: speaker for speaker in conversation.speakers}
    return tuple(
        _voice(known.get(name) or Speaker(name, Role.UNKNOWN), heard) for name, heard in words.items()
    )


def _voice(speaker: Speaker, heard: list[SpokenWord]) -> Voice:
    ordered = sorted(heard, key=lambda word: (word.start, word.end))
    return Voice(speaker, tuple(ordered), _stretches(ordered))


def _stretches(words: Sequence[SpokenWord]) -> tuple[Stretch, ...]:
    runs: list[list[SpokenWord]] = []
    reached = 0
    for word in words:
        if runs and word.start - reached < CLOSED_GAP_MS:
            runs[-1].append(word)
            reached = max(reached, word.end)
        else:
            runs.append([word])
            reached = word.end
    return tuple(Stretch(run[0].start, max(word.end for word in run), tuple(run)) for run in runs)


@lru_cache(maxsize=50_000)
def tokens_of(text: str) -> tuple[str, ...]:
    """``text`` in lower case, cut wherever there is neither letter, sign of a letter, digit nor apostrophe.

    Empty for punctuation alone, which is no word.
    """
    plain = normalize("NFKC", text).casefold().replace("’", "'")
    kept = "".join(char if char == "'" or category(char)[0] in "LMN" else " " for char in plain)
    return tuple(token for part in kept.split() if (token := part.strip("'")))
