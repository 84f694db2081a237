"""How long a party holds the floor when short interjections of the others do not count. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from app.schemas.metrics import SpeakerSpan, SpeakerTurn

PAUSE_S = 3.0
_ROUNDING_S = 1e-6


def held_floor(
    turns: Sequence[SpeakerTurn], speaker: str, interjection_under_s: float
) -> tuple[SpeakerSpan, ...]:
    """The turns of ``speaker``, put together where others' turns under ``interjection_under_s`` part them.

    As within a turn, a pause of 3 s ends it; the time of an interjection is no pause. ``turns``: everybody's,
    in order of start.
    """
    others = [turn for turn in turns if turn.speaker != speaker]
    limit_s = interjection_under_s - _ROUNDING_S
    breaking = _Turns([turn for turn in others if turn.end_s - turn.start_s >= limit_s])
    short = _Turns([turn for turn in others if turn.end_s - turn.start_s < limit_s])
    held: list[SpeakerSpan] = []
    for turn in (turn for turn in turns if turn.speaker == speaker):
        start_s = turn.start_s
        if held:
            end_s = held[-1].end_s
            if not breaking.any_within(end_s, turn.start_s):
                pause_s = turn.start_s - end_s - short.time_within(end_s, turn.start_s)
                if pause_s < PAUSE_S - _ROUNDING_S:
                    start_s = held.pop().start_s
        held.append(SpeakerSpan(speaker, start_s, turn.end_s))
    return tuple(held)


class _Turns:
    """Turns in order of start, which may overlap."""

    def __init__(self, turns: Sequence[SpeakerTurn]) -> None:
        self._turns = turns
        self._starts = [turn.start_s for turn in turns]
        # Latest end among the turns up to each one: it never falls, so that it can be searched.
        self._reach = list(accumulate((turn.end_s for turn in turns), max))

    def any_within(self, start_s: float, end_s: float) -> bool:
        before = bisect_left(self._starts, end_s)
        return before > 0 and self._reach[before - 1] > start_s

    def time_within(self, start_s: float, end_s: float) -> float:
        """How much of the time from ``start_s`` to ``end_s`` lies in any of them."""
        total_s, counted_to_s = 0.0, start_s
        for place in range(bisect_left(self._reach, start_s), bisect_left(self._starts, end_s)):
            until_s = min(self._turns[place].end_s, end_s)
            total_s += max(0.0, until_s - max(self._starts[place], counted_to_s))
            counted_to_s = max(counted_to_s, until_s)
        return total_s
