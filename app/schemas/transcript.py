"""Words as an engine heard them, turns of speakers, and the segments made of both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One word in recording time (seconds).

    ``confidence`` is in [0, 1], or None where the engine gives none. ``space_before`` is False where the
    script writes no space (Chinese, or punctuation split off). ``ends_segment``: the engine broke here.
    ``channel``: the channel it was heard in, None where the recording was heard as one signal.
    ``estimated``: its times were spread evenly over its segment, or between its neighbours.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float | None = None
    space_before: bool = True
    ends_segment: bool = False
    channel: int | None = None
    estimated: bool = False


@dataclass(frozen=True)
class Transcript:
    """What a speech engine made of a recording; ``language`` is None where nothing was said."""

    words: tuple[Word, ...]
    language: str | None
    language_confidence: float | None = None


@dataclass(frozen=True)
class Turn:
    """One stretch in which one speaker (numbered from 0 in order of appearance) speaks.

    Turns of different speakers may overlap. ``channel``: only words heard in this channel are meant.
    """

    speaker: int
    start_s: float
    end_s: float
    channel: int | None = None


@dataclass(frozen=True)
class Segment:
    """Consecutive words of one speaker; ``text`` is the joined words, always."""

    index: int
    speaker: str
    words: tuple[Word, ...]
    role: str = "unknown"

    @property
    def start_s(self) -> float:
        return self.words[0].start_s

    @property
    def end_s(self) -> float:
        return self.words[-1].end_s

    @property
    def text(self) -> str:
        return join_words(self.words)


def join_words(words: Iterable[Word]) -> str:
    """The text of ``words``, spaced as the engine spaced them."""
    return "".join([f" {word.text}" if word.space_before else word.text for word in words]).strip()
