"""Where the clip of a moment begins and ends, so that it cuts no word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.schemas.analysis import Analysis
from app.schemas.audio import Span
from app.schemas.moment import Moment

LEAD_IN_S, LEAD_OUT_S = 1.5, 1.0
"""So much of what was said around a moment is heard with it: words that are in work then, whole."""
MARGIN_S = 0.06
"""Left before and after the outermost words, as far as the pause there allows it."""
MOST_OVERRUN_S = 3.0
"""Where people talk over one another no place may be free of words; then a clip grows by this at most."""
SHORTEST_S = 0.2


@dataclass(frozen=True)
class Reach:
    """How much is heard around a moment, and how long the clip may be in all; seconds."""

    lead_in_s: float = LEAD_IN_S
    lead_out_s: float = LEAD_OUT_S
    longest_s: float | None = None


def clip_span(analysis: Analysis, moment: Moment, reach: Reach | None = None) -> Span:
    """The stretch of the recording that shows ``moment``, with some of what was said around it.

    It begins with a word and ends with one, whoever said them, and lies within 0.1 s of their borders; words
    at its edges are whole. Where there are no words near, it is the moment's own times with the lead-in and
    lead-out. A clip over ``longest_s`` ends with the last word that fits.
    """
    reach = reach or Reach()
    words = sorted((word.start_s, word.end_s) for part in analysis.segments for word in part.segment.words)
    own = Span(moment.evidence.start_s, max(moment.evidence.end_s, moment.evidence.start_s))
    wanted = Span(
        max(0.0, own.start_s - reach.lead_in_s), min(analysis.duration_s, own.end_s + reach.lead_out_s)
    )
    if reach.longest_s is not None and wanted.length_s > reach.longest_s:
        wanted = Span(wanted.start_s, wanted.start_s + reach.longest_s)
    heard = [word for word in words if word[0] >= wanted.start_s and word[1] <= wanted.end_s]
    if not heard:
        return _at_least(wanted, analysis.duration_s)
    start_s = _free_before(words, heard[0][0], wanted.start_s - MOST_OVERRUN_S)
    end_s = _free_after(words, max(end for _, end in heard), wanted.end_s + MOST_OVERRUN_S)
    return _at_least(_with_margin(words, Span(start_s, end_s), analysis.duration_s), analysis.duration_s)


def _free_before(words: Sequence[tuple[float, float]], at_s: float, earliest_s: float) -> float:
    """``at_s``, or the start of the words that are being said then."""
    while (cut := [start for start, end in words if start < at_s < end]) and min(cut) >= earliest_s:
        at_s = min(cut)
    return at_s


def _free_after(words: Sequence[tuple[float, float]], at_s: float, latest_s: float) -> float:
    while (cut := [end for start, end in words if start < at_s < end]) and max(cut) <= latest_s:
        at_s = max(cut)
    return at_s


def _with_margin(words: Iterable[tuple[float, float]], span: Span, duration_s: float) -> Span:
    """Half of each pause next to ``span``, and no more than the margin: the other half is the next word's."""
    before_s, after_s = 0.0, duration_s
    for start, end in words:
        if start < span.start_s:
            before_s = max(before_s, min(end, span.start_s))
        if end > span.end_s:
            after_s = min(after_s, max(start, span.end_s))
    return Span(
        max(0.0, span.start_s - min(MARGIN_S, (span.start_s - before_s) / 2)),
        min(max(duration_s, span.end_s), span.end_s + min(MARGIN_S, max(0.0, after_s - span.end_s) / 2)),
    )


def _at_least(span: Span, duration_s: float) -> Span:
    """Never shorter than can be heard, or than nothing."""
    if span.length_s >= SHORTEST_S:
        return span
    start_s = max(0.0, min(span.start_s, duration_s - SHORTEST_S))
    return Span(start_s, start_s + SHORTEST_S)
