"""Words and turns put together into segments, each by one speaker. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from app.schemas.transcript import Segment, Transcript, Turn, Word

SEGMENT_GAP_S = 0.8
"""Pause within one speaker's words from which a new segment begins."""
_ROUNDING_S = 1e-6


def align(transcript: Transcript, turns: Sequence[Turn]) -> tuple[Segment, ...]:
    """Segments in order of time that hold every word once.

    Each word goes to the turn that it overlaps most, or to the nearest one where it overlaps none (the
    earlier on a tie). A segment is a run of words of one speaker; it also ends where the speech engine ended
    one and before a gap of at least 0.8 s. Speakers are named ``speaker_0``, ``speaker_1`` … as they appear;
    with no turns at all, every word is ``speaker_0``'s. The words come in order of their start.
    """
    ordered = sorted(turns, key=lambda turn: (turn.start_s, turn.end_s))
    finder = _TurnFinder(ordered) if ordered else None
    names: dict[int, str] = {}
    runs: list[tuple[str, list[Word]]] = []
    reached_s = 0.0
    for word in transcript.words:
        number = finder.find(word).speaker if finder else 0
        speaker = names.setdefault(number, f"speaker_{len(names)}")
        if runs and _continues(runs[-1], speaker, word, reached_s):
            runs[-1][1].append(word)
            reached_s = max(reached_s, word.end_s)
        else:
            runs.append((speaker, [word]))
            reached_s = word.end_s
    return tuple(Segment(index, speaker, tuple(words)) for index, (speaker, words) in enumerate(runs))


def _continues(run: tuple[str, list[Word]], speaker: str, word: Word, reached_s: float) -> bool:
    last_speaker, words = run
    gap_s = word.start_s - reached_s
    return last_speaker == speaker and not words[-1].ends_segment and gap_s < SEGMENT_GAP_S - _ROUNDING_S


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
