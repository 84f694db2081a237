"""What was found, as it is published: seconds and names for milliseconds and the numbers of parties."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from app.schemas.metrics import Interruption, NonTalk, Overlap, Patience, SpeakerTurn, Switch
from app.schemas.speaker import Role
from app.services.metrics.interruptions import find_starts_over
from app.services.metrics.intervals import MS, Interval, gaps, seconds
from app.services.metrics.turns import Utterance
from app.services.metrics.voices import Voice

NON_TALK_MS = 3 * MS
DEAD_AIR_MS = 5 * MS


def told_turn(utterance: Utterance, voices: Sequence[Voice]) -> SpeakerTurn:
    return SpeakerTurn(
        speaker=voices[utterance.party].speaker.id,
        start_s=seconds(utterance.start),
        end_s=seconds(utterance.end),
        words=len(utterance.words),
        segment=utterance.segment,
    )


def told_switch(before: Utterance, after: Utterance, voices: Sequence[Voice]) -> Switch:
    return Switch(
        from_speaker=voices[before.party].speaker.id,
        to_speaker=voices[after.party].speaker.id,
        end_s=seconds(before.end),
        start_s=seconds(after.start),
        gap_s=seconds(after.start - before.end),
    )


def measure_patience(switches: Iterable[Switch], voices: Sequence[Voice]) -> Patience | None:
    roles = {voice.speaker.id: voice.speaker.role for voice in voices}
    to_agent = tuple(
        switch
        for switch in switches
        if (roles[switch.from_speaker], roles[switch.to_speaker]) == (Role.CUSTOMER, Role.AGENT)
    )
    if not to_agent:
        return None
    waits = sorted(switch.gap_s for switch in to_agent)
    return Patience(_quantile(waits, 0.5), _quantile(waits, 0.25), to_agent)


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between the two nearest, as numpy's default is."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return round(ordered[below] + (place - below) * (ordered[above] - ordered[below]), 4)


def told_overlaps(
    found: Iterable[tuple[Interval, tuple[int, ...]]], voices: Sequence[Voice]
) -> tuple[Overlap, ...]:
    return tuple(
        Overlap(seconds(start), seconds(end), tuple(sorted(voices[number].speaker.id for number in numbers)))
        for (start, end), numbers in found
    )


def told_interruptions(
    utterances: Sequence[Utterance], voices: Sequence[Voice], reliable: bool
) -> tuple[Interruption, ...]:
    return tuple(
        Interruption(
            kind="interruption" if found.interrupts else "overtalk",
            speaker=voices[found.utterance.party].speaker.id,
            over=voices[found.over].speaker.id,
            start_s=seconds(found.overlap.start),
            end_s=seconds(found.overlap.end),
            length_s=seconds(found.overlap.end - found.overlap.start),
            segment=found.utterance.segment,
            back_channel=found.utterance.back_channel,
            reliable=reliable,
        )
        for found in find_starts_over(utterances, len(voices))
    )


def find_non_talk(spoken: Sequence[Interval], duration: int) -> tuple[NonTalk, ...]:
    found = []
    for start, end in gaps(spoken, duration):
        if end - start < NON_TALK_MS:
            continue
        if start == 0:
            place: Literal["start", "between", "end", "whole"] = "whole" if end == duration else "start"
        else:
            place = "end" if end == duration else "between"
        silence = seconds(end - start)
        found.append(NonTalk(seconds(start), seconds(end), silence, end - start >= DEAD_AIR_MS, place))
    return tuple(found)
