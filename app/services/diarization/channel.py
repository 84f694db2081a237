"""Speakers by channel: where each party has a channel of its own, there is nothing to guess."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.core.config import Settings
from app.schemas.audio import ChannelKind, ChannelLayout, Span
from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Turn, Word
from app.services.diarization.base import DiarizationRequest

UNFIT = {
    ChannelKind.MONO: "the recording has one channel",
    ChannelKind.DUAL_MONO: "both channels carry the same signal",
    ChannelKind.ONE_SIDED: "one channel is silent",
}


class ChannelEngine:
    """Everybody heard in a channel is one speaker."""

    name = "channel"
    label = "channel"
    capabilities = Capabilities(per_channel=True)

    def __init__(self, settings: Settings) -> None:
        """``settings`` is not needed; all engines are made alike."""

    def availability(self) -> Availability:
        return Availability.ready()

    def fetch(self) -> None:
        """Nothing to fetch."""

    def load(self) -> None:
        """Nothing to load."""

    def unfit(self, layout: ChannelLayout) -> str | None:
        return UNFIT.get(layout.kind)

    def diarize(self, request: DiarizationRequest) -> tuple[Turn, ...]:
        together = request.num_speakers == 1
        turns = [
            Turn(0 if together else number, stretch.start_s, stretch.end_s, voice.channel)
            for number, (voice, speech) in enumerate(zip(request.layout.voices, request.speech, strict=True))
            for stretch in _stretches(speech, request.transcript.words, voice.channel)
        ]
        return _numbered(turns)


def _stretches(speech: Iterable[Span], words: Iterable[Word], channel: int | None) -> list[Span]:
    """The channel's stretches of speech, and its words that none of them touches. In no order."""
    stretches = list(speech)
    for word in words:
        if word.channel == channel and not any(
            stretch.start_s <= word.end_s and word.start_s <= stretch.end_s for stretch in stretches
        ):
            stretches.append(Span(word.start_s, word.end_s))
    return stretches


def _numbered(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """``turns`` in order, with speakers numbered as they appear."""
    ordered = sorted(turns, key=lambda turn: (turn.start_s, turn.end_s, turn.speaker))
    numbers: dict[int, int] = {}
    return tuple(replace(turn, speaker=numbers.setdefault(turn.speaker, len(numbers))) for turn in ordered)
