"""Words and turns put together into segments, each by one speaker. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from app.schemas.speaker import Speaker
from app.schemas.transcript import Segment, Transcript, Turn, Word

SEGMENT_GAP_S = 0.8
"""Pause within one speaker's words from which a new segment begins."""
BREATH_S = 0.3
"""Shorter than this, a gap between words is no pause that another party could have answered in."""
_ROUNDING_S = 1e-6


def align(transcript: Transcript, turns: Sequence[Turn]) -> tuple[Segment, ...]:
    """Segments in order of their start that hold every word once.

    Each word goes to the turn that it overlaps most, or to the nearest one where it overlaps none (the
    earlier on a tie); a word heard in a channel only to a turn of that channel. A segment is a run of words
    of one speaker; it also ends where the speech engine ended one, before a gap of at least 0.8 s, and where
    somebody else says a word in between. Parties who were recorded apart may speak at the same time: their
    segments then overlap, and neither is cut by the other. Speakers are named ``speaker_0``, ``speaker_1`` …
    as they appear; with no turns at all, every word is ``speaker_0``'s. The words come in order of their
    start.
    """
    finders: dict[int | None, _TurnFinder | None] = {}
    open_runs: dict[tuple[int, int | None], _Run] = {}
    runs: list[_Run] = []
    for word in transcript.words:
        if word.channel not in finders:
            finders[word.channel] = _finder(turns, word.channel)
        finder = finders[word.channel]
        number = finder.find(word).speaker if finder else 0
        party = (number, word.channel)
        run = open_runs.get(party)
        if run is None or not run.goes_on_with(word):
            run = open_runs[party] = _Run(number)
            runs.append(run)
        run.add(word)
        for other, elsewhere in open_runs.items():
            if other != party:
                elsewhere.hear_other(word)
    return _named(runs)


def with_roles(segments: Iterable[Segment], speakers: Iterable[Speaker]) -> tuple[Segment, ...]:
    """The segments, each with the role of its speaker."""
    roles = {speaker.id: speaker.role for speaker in speakers}
    return tuple(replace(segment, role=roles[segment.speaker].value) for segment in segments)


def _finder(turns: Sequence[Turn], channel: int | None) -> _TurnFinder | None:
    meant = [turn for turn in turns if channel is None or turn.channel in (None, channel)]
    return _TurnFinder(sorted(meant, key=lambda turn: (turn.start_s, turn.end_s))) if meant else None


def _named(runs: list[_Run]) -> tuple[Segment, ...]:
    names: dict[int, str] = {}
    return tuple(
        Segment(index, names.setdefault(run.speaker, f"speaker_{len(names)}"), tuple(run.words))
        for index, run in enumerate(sorted(runs, key=lambda run: run.words[0].start_s))
    )


@dataclass
class _Run:
    """Words of one speaker; ``answered_s`` is when a word ended that somebody else said after the last."""

    speaker: int
    words: list[Word] = field(default_factory=list)
    reached_s: float = 0.0
    answered_s: float = math.inf

    def goes_on_with(self, word: Word) -> bool:
        gap_s = word.start_s - self.reached_s
        is_answered = self.answered_s <= word.start_s + _ROUNDING_S
        if word.channel is not None and gap_s < BREATH_S:
            is_answered = False
        return not (self.words[-1].ends_segment or is_answered or gap_s >= SEGMENT_GAP_S - _ROUNDING_S)

    def add(self, word: Word) -> None:
        self.words.append(word)
        self.reached_s = max(self.reached_s, word.end_s)
        self.answered_s = math.inf

    def hear_other(self, word: Word) -> None:
        if word.channel is None:
            self.answered_s = -math.inf
        elif word.start_s >= self.reached_s - _ROUNDING_S:
            self.answered_s = min(self.answered_s, word.end_s)


class _TurnFinder:
    """Finds a word's turn in logarithmic time; turns may overlap one another."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = turns
        self._starts = [turn.start_s for turn in turns]
        # Latest end among the turns up to each one: it never falls, so that it can be searched.
        self._reach = list(accumulate((turn.end_s for turn in turns), max))

    def find(self, word: Word) -> Turn:
        first = bisect_right(self._reach, word.start_s)
        beyond = bisect_left(self._starts, word.end_s)
        best, best_overlap_s = None, 0.0
        for turn in self._turns[first:beyond]:
            overlap_s = min(turn.end_s, word.end_s) - max(turn.start_s, word.start_s)
            if overlap_s > best_overlap_s:
                best, best_overlap_s = turn, overlap_s
        return best or self._nearest(word)

    def _nearest(self, word: Word) -> Turn:
        """The turn whose edge lies closest to the word, of those around the place where it would stand."""
        after = bisect_left(self._starts, word.start_s)
        before = bisect_left(self._reach, self._reach[after - 1]) if after else None
        candidates = [
            self._turns[index] for index in (before, after) if index is not None and index < len(self._turns)
        ]
        return min(
            candidates, key=lambda turn: max(turn.start_s - word.end_s, word.start_s - turn.end_s, 0.0)
        )
