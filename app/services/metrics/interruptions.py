"""Who starts while another speaks, and whether that stops them. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from app.services.metrics.intervals import MS, Interval
from app.services.metrics.turns import Utterance
from app.services.metrics.voices import Stretch

SPOKEN_MS = MS // 2
OVERLAP_MS = 300
STOPS_WITHIN_MS = 2 * MS


@dataclass(frozen=True)
class StartOver:
    """``utterance`` starts while the party number ``over`` speaks; both speak during ``overlap``."""

    utterance: Utterance
    over: int
    overlap: Interval
    interrupts: bool


def find_starts_over(utterances: Sequence[Utterance], parties: int) -> tuple[StartOver, ...]:
    """Every start of a turn or back-channel within another party's speech, back-channels aside, in order.

    It interrupts when the other had spoken for at least 0.5 s, both speak for at least 0.3 s, it is no
    back-channel, and the other stops (for 0.3 s or more) within 2 s.
    """
    speech: list[list[Stretch]] = [[] for _ in range(parties)]
    for utterance in utterances:
        if not utterance.back_channel:
            speech[utterance.party].extend(utterance.stretches)
    starts = [[stretch.start for stretch in own] for own in speech]
    found: list[StartOver] = []
    for utterance in utterances:
        for over in range(parties):
            before = bisect_left(starts[over], utterance.start) - 1
            if over == utterance.party or before < 0:
                continue
            stretch = speech[over][before]
            if stretch.end > utterance.start:
                found.append(_start_over(utterance, over, stretch))
    return tuple(found)


def _start_over(utterance: Utterance, over: int, stretch: Stretch) -> StartOver:
    overlap = Interval(utterance.start, min(stretch.end, utterance.end))
    interrupts = (
        not utterance.back_channel
        and utterance.start - stretch.start >= SPOKEN_MS
        and overlap.end - overlap.start >= OVERLAP_MS
        and stretch.end - utterance.start <= STOPS_WITHIN_MS
    )
    return StartOver(utterance, over, overlap, interrupts)
