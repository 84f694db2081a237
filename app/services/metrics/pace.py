"""How fast a party speaks: words a minute of its own talk. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, chain

from app.schemas.metrics import PaceWindow
from app.services.metrics.intervals import MS, length, seconds
from app.services.metrics.voices import Voice

WINDOW_MS = 15 * MS
STEP_MS = 3 * MS
"""Every stretch of 18 s holds a whole window; a step for each word would drown the other numbers."""
_MINUTE_MS = 60 * MS


def words_per_minute(voice: Voice) -> float | None:
    """Of the party's talk time; None where it has none."""
    talk = length(voice.stretches)
    return round(len(voice.words) * _MINUTE_MS / talk, 1) if talk else None


def pace_windows(voice: Voice) -> tuple[PaceWindow, ...]:
    """Windows of 15 s of talk, each 3 s of talk after the one before, the last one at the very end.

    A word counts where its midpoint lies. There are none for a party that speaks for less than 15 s.
    """
    ends = list(accumulate(stretch.end - stretch.start for stretch in voice.stretches))
    talk = ends[-1] if ends else 0
    if talk < WINDOW_MS:
        return ()
    begins = [0, *ends[:-1]]
    midpoints = sorted(
        begin + (word.start + word.end) / 2 - stretch.start
        for begin, stretch in zip(begins, voice.stretches, strict=True)
        for word in stretch.words
    )
    windows = []
    for first in chain(range(0, talk - WINDOW_MS, STEP_MS), (talk - WINDOW_MS,)):
        last = first + WINDOW_MS
        words = bisect_left(midpoints, last) - bisect_left(midpoints, first)
        opening = bisect_right(begins, first) - 1
        closing = bisect_left(ends, last)
        start = voice.stretches[opening].start + first - begins[opening]
        end = voice.stretches[closing].start + last - begins[closing]
        windows.append(PaceWindow(seconds(start), seconds(end), words * _MINUTE_MS / WINDOW_MS))
    return tuple(windows)
