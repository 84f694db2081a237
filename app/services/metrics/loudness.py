"""How loud a party speaks, second by second, against its own median. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from app.schemas.conversation import Conversation
from app.schemas.metrics import Loudness
from app.services.metrics.intervals import MS, Interval, union
from app.services.metrics.voices import Voice

NOTHING_DBFS = -100.0


def measure_loudness(conversation: Conversation, voices: Sequence[Voice]) -> tuple[Loudness | None, ...]:
    """For each voice its level; None where no second can be told to be its own."""
    signals = [_signal_of(voice, conversation) for voice in voices]
    spoken = [_spoken_ms(union(voice.stretches)) for voice in voices]
    levels: list[Loudness | None] = []
    for number, signal in enumerate(signals):
        if signal is None:
            levels.append(None)
            continue
        others = [
            spoken[other] for other, heard_in in enumerate(signals) if other != number and heard_in == signal
        ]
        alone = (
            second
            for second, share in spoken[number].items()
            if 2 * share >= MS and not any(second in other for other in others)
        )
        levels.append(_level(conversation.loudness[signal], alone))
    return tuple(levels)


def _signal_of(voice: Voice, conversation: Conversation) -> int | None:
    """The number of the signal that the voice was heard in."""
    signal = (voice.speaker.channel if conversation.separate_channels else 0) or 0
    return signal if signal < len(conversation.loudness) else None


def _spoken_ms(speech: Iterable[Interval]) -> dict[int, int]:
    """How many milliseconds of each second are spoken."""
    shares: dict[int, int] = {}
    for start, end in speech:
        for second in range(start // MS, -(-end // MS)):
            share = min(end, (second + 1) * MS) - max(start, second * MS)
            shares[second] = shares.get(second, 0) + share
    return shares


def _level(signal: Sequence[float], wanted: Iterable[int]) -> Loudness | None:
    heard = [
        (second, signal[second])
        for second in sorted(wanted)
        if second < len(signal) and signal[second] > NOTHING_DBFS
    ]
    if not heard:
        return None
    middle = median(level for _, level in heard)
    return Loudness(
        median_dbfs=round(middle, 1),
        seconds=tuple(second for second, _ in heard),
        change_db=tuple(round(level - middle, 1) for _, level in heard),
    )
