"""What the two channels of a recording hold: a party each, the same signal twice, or one of them nothing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from app.schemas.audio import SAMPLE_RATE, Audio, ChannelKind, ChannelLayout, Span
from app.services.audio.channel_measures import STEP, STEP_S, ChannelMeasures, loudness, measure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]

ZERO_DB = -96.0
"""Below it, less than half of the last bit is left: digital silence, which tells nothing of the line."""
FLOOR_PERCENTILE = 5
"""A channel's own noise is as loud as its steps at this percentile: everybody pauses that often."""
ABOVE_FLOOR_DB = 6.0
"""Noise and hum stay this close to their own level; speech rises above it, however faint."""
ALIKE = 0.5
"""Correlation above which two channels share a signal. Voices apart reach 0.2, one voice through two phone
codecs 0.6 and more."""
SAME_RATIO_DB = 6.0
"""A shared signal is louder in one channel by a constant number of decibels, give or take this."""
MOST_UNALIKE = 0.1
"""Two bad codecs make this share of one signal differ."""
LEAST_STEPS = 5
"""Less than this (0.5 s) of a signal is a click or a slip of a codec; of short recordings, a fifth."""

TARGET_DB, MOST_GAIN_DB = -20.0, 40.0
PEAK_PERCENTILE = 99.0

LEAK = 0.7
"""Correlation above which most of a channel's power is the other channel's signal (0.7 squared is half)."""
FAINT_LEAK = 0.3
"""A leak that is filtered or noisy is less alike; it then has to be as faint as leaks are here."""
FAINT_LEAK_DB = 4.0
LEAST_LEAK_STEPS = 3
"""Leaks are taken out from 0.3 s on."""
TIE_DB = 6.0
"""What both channels hold equally loud, give or take this, is left to the first."""


@dataclass(frozen=True)
class _Balance:
    """By how many dB the second channel is louder where the first one's party speaks, and the second's."""

    first_db: float
    second_db: float

    @property
    def middle_db(self) -> float:
        return (self.first_db + self.second_db) / 2

    @property
    def tie_db(self) -> float:
        return min(TIE_DB, (self.second_db - self.first_db) / 4)


def look_at_channels(audio: Audio) -> ChannelLayout:
    """Find out what the channels of ``audio`` hold. Reads it once or twice, in bounded memory.

    Two channels carry the same signal when they correlate (at any lag up to 50 ms, polarity and gain) and
    the ratio of their levels does not change. A channel is silent when nothing in it rises above its own
    noise, however loud or faint, or only what leaks in from the other one. Each voice of a ``separate``
    recording is levelled to -20 dB of full scale by at most 40 dB, as far as its peaks allow.
    """
    if audio.channel_count == 1:
        return _single(ChannelKind.MONO, audio)
    measures = measure(audio)
    kind, channel = _judge(measures)
    if kind is ChannelKind.SEPARATE:
        gains = _gains(measures)
        voices = tuple(audio.of_channel(index, gain) for index, gain in enumerate(gains))
        return ChannelLayout(kind, voices, tuple(loudness(voice) for voice in voices))
    return _single(kind, audio.of_channel(channel))


def without_bleed(
    layout: ChannelLayout, speech: tuple[tuple[Span, ...], ...]
) -> tuple[tuple[Span, ...], ...]:
    """``speech`` (by voice) without the stretches in which a channel only repeats the other one's voice.

    Stretches are dropped, or cut where at least 0.3 s of them leaked in; what both say at once stays. Layouts
    with a single voice come back as they are.
    """
    if layout.kind is not ChannelKind.SEPARATE or not any(speech):
        return speech
    measures = measure(layout.voices[0])
    active = _active(measures)
    balance = _balance(measures, active)
    cleaned = []
    for channel, spans in enumerate(speech):
        leaks = _leaks(measures, balance, channel)
        own = _own_steps(measures, balance, active[channel], leaks, channel)
        cleaned.append(tuple(part for span in spans for part in _keep(span, leaks, own)))
    return tuple(cleaned)


def without_unused(
    layout: ChannelLayout, speech: tuple[tuple[Span, ...], ...]
) -> tuple[ChannelLayout, tuple[tuple[Span, ...], ...]]:
    """A ``separate`` recording in which one voice alone says anything is one-sided: that voice is left."""
    spoken = [place for place, stretches in enumerate(speech) if stretches]
    if layout.kind is not ChannelKind.SEPARATE or len(spoken) != 1:
        return layout, speech
    (place,) = spoken
    alone = ChannelLayout(ChannelKind.ONE_SIDED, (layout.voices[place],), (layout.loudness[place],))
    return alone, (speech[place],)


def _single(kind: ChannelKind, voice: Audio) -> ChannelLayout:
    return ChannelLayout(kind, (voice,), (loudness(voice),))


def _active(measures: ChannelMeasures) -> Flags:
    """Steps, shape (2, steps), in which a channel rises above its own noise; all sound if neither does."""
    import numpy as np

    sound = measures.shaped_db > ZERO_DB
    active = np.zeros_like(sound)
    for channel in (0, 1):
        levels = measures.shaped_db[channel][sound[channel]]
        if levels.size:
            floor = np.percentile(levels, FLOOR_PERCENTILE)
            active[channel] = sound[channel] & (measures.shaped_db[channel] > floor + ABOVE_FLOOR_DB)
    return active if active.any() else sound


def _judge(measures: ChannelMeasures) -> tuple[ChannelKind, int | None]:
    """The kind, and for kinds with a single voice the channel to work on (None: the mean of both)."""
    import numpy as np

    active = _active(measures)
    least = min(LEAST_STEPS, max(1, measures.ratio_db.size // 5))
    shared = active.any(axis=0) & (measures.likeness >= ALIKE)
    if np.count_nonzero(shared) < least:
        used = [_lasting(each) >= least for each in active]
        if not any(used):
            used = [bool(each.any()) for each in measures.shaped_db > ZERO_DB]
        if all(used):
            return ChannelKind.SEPARATE, None
        return (ChannelKind.ONE_SIDED, used.index(True)) if any(used) else (ChannelKind.DUAL_MONO, None)
    usual_db = float(np.median(measures.ratio_db[shared]))
    apart_db = measures.ratio_db - usual_db
    own = [
        _lasting(active[0] & (apart_db < -SAME_RATIO_DB)),
        _lasting(active[1] & (apart_db > SAME_RATIO_DB)),
    ]
    # What both share belongs to the channel in which it is louder.
    louder = int(usual_db > 0)
    if own[1 - louder] >= least:
        return ChannelKind.SEPARATE, None
    if own[louder] > MOST_UNALIKE * np.count_nonzero(active[louder]):
        return ChannelKind.ONE_SIDED, louder
    # Out of step or upside down they would cancel in part.
    in_step = np.median(measures.correlation[shared]) > 0 and abs(np.median(measures.lag[shared])) <= 1
    return ChannelKind.DUAL_MONO, None if in_step and abs(usual_db) < SAME_RATIO_DB else louder


def _lasting(flags: Flags) -> int:
    """How many of ``flags`` are set next to another one, or at all where there is only one."""
    import numpy as np

    return int(np.count_nonzero(_in_runs(flags, min(2, flags.size))))


def _balance(measures: ChannelMeasures, active: Flags) -> _Balance:
    """Centres of the two clusters (2-means) that the ratio of levels falls into where anybody speaks."""
    import numpy as np

    ratios = measures.ratio_db[active.any(axis=0)]
    low, high = (float(value) for value in np.percentile(ratios, (1, 99)))
    for _ in range(20):
        upper = ratios > (low + high) / 2
        if upper.all() or not upper.any():
            break
        low, high = float(ratios[~upper].mean()), float(ratios[upper].mean())
    return _Balance(low, high)


def _gains(measures: ChannelMeasures) -> tuple[float, float]:
    """Factors that bring what each channel's own party says to the target level."""
    import numpy as np

    active = _active(measures)
    middle_db = _balance(measures, active).middle_db
    gains = []
    for channel, louder in enumerate((measures.ratio_db <= middle_db, measures.ratio_db >= middle_db)):
        own = active[channel] & louder
        own = own if own.any() else active[channel]
        if not own.any():
            gains.append(1.0)
            continue
        level = float(np.sqrt(np.mean(measures.power[channel][own])))
        peak = float(np.percentile(measures.peak[channel][own], PEAK_PERCENTILE))
        wanted = min(10 ** (TARGET_DB / 20) / level, 10 ** (MOST_GAIN_DB / 20))
        gains.append(float(min(wanted, 1.0 / peak)))
    return gains[0], gains[1]


def _leaks(measures: ChannelMeasures, balance: _Balance, channel: int) -> Flags:
    """Steps in which ``channel`` holds only the other one's signal, shape (steps,)."""
    import numpy as np

    # Seen from the channel: how far it is on the other party's side, in dB.
    sign = -1.0 if channel else 1.0
    beyond_db = sign * (measures.ratio_db - balance.middle_db)
    tie_db = balance.tie_db if channel == 0 else -balance.tie_db
    likeness = measures.likeness
    dominated = beyond_db > np.where(likeness >= LEAK, tie_db, 0.0)
    told = dominated & (likeness >= ALIKE)
    if np.count_nonzero(told) < LEAST_LEAK_STEPS:
        return np.zeros_like(dominated)
    usual_db = np.median(beyond_db[told])
    faint = (likeness >= FAINT_LEAK) & (beyond_db >= usual_db - FAINT_LEAK_DB)
    leaks: Flags = dominated & ((likeness >= LEAK) | faint)
    return leaks


def _own_steps(
    measures: ChannelMeasures, balance: _Balance, active: Flags, leaks: Flags, channel: int
) -> Flags:
    """Steps in which something is said in ``channel`` that did not leak in, shape (steps,)."""
    apart_db = measures.ratio_db - balance.middle_db
    louder = apart_db >= 0 if channel else apart_db <= 0
    own = active & ~leaks
    return own & (louder | _in_runs(own, LEAST_LEAK_STEPS))


def _in_runs(flags: Flags, least: int) -> Flags:
    """``flags`` without the runs shorter than ``least``."""
    import numpy as np

    kept = flags.copy()
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        kept[start:end] = end - start >= least
    return kept


def _keep(span: Span, leaks: Flags, own: Flags) -> list[Span]:
    """The parts of ``span`` that are closer to something said there than to a leak."""
    import numpy as np

    first, last = int(span.start_s / STEP_S + 1e-6), min(len(leaks), int(np.ceil(span.end_s / STEP_S - 1e-6)))
    leaked = np.flatnonzero(_in_runs(leaks[first:last], LEAST_LEAK_STEPS))
    if leaked.size == 0:
        return [span]
    said = np.flatnonzero(own[first:last])
    if said.size == 0:
        return []
    steps = np.arange(last - first)
    nearest = [np.abs(steps[:, None] - found).min(axis=1) for found in (said, leaked)]
    parts = []
    for keep, group in groupby(range(last - first), lambda step: bool(nearest[0][step] < nearest[1][step])):
        if keep:
            inside = list(group)
            start, end = (
                (first + inside[0]) * STEP / SAMPLE_RATE,
                (first + inside[-1] + 1) * STEP / SAMPLE_RATE,
            )
            parts.append(Span(max(span.start_s, start), min(span.end_s, end)))
    return parts
