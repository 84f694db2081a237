"""Speakers by channel: where each party has a channel of its own, there is little to guess."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.schemas.audio import ChannelKind, ChannelLayout, Span
from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Transcript, Turn, Word
from app.services.diarization.base import MOST_SPEAKERS, DiarizationRequest
from app.services.diarization.clustering import TWO_SHORT, find_speakers, spread
from app.services.diarization.embedding import VoiceEncoder
from app.services.diarization.listening import listen
from app.services.diarization.voiceprint import VoiceprintEngine

if TYPE_CHECKING:
    from app.core.config import Settings
    from app.services.diarization.listening import Speech

UNFIT = {
    ChannelKind.MONO: "the recording has one channel",
    ChannelKind.DUAL_MONO: "both channels carry the same signal",
    ChannelKind.ONE_SIDED: "one channel is silent",
}


class ChannelEngine:
    """Everybody heard in a channel is one speaker.

    Where more speakers are asked for than there are channels, those channels whose voices differ most are
    told apart further by voice; where one is asked for, all is said by one.
    """

    name = "channel"
    label = "channel"
    capabilities = Capabilities(per_channel=True)

    def __init__(self, settings: Settings) -> None:
        self._by_voice = VoiceprintEngine(settings)
        self._encoder = VoiceEncoder(settings.threads)

    def availability(self) -> Availability:
        return Availability.ready()

    def fetch(self) -> None:
        """Nothing to fetch."""

    def load(self) -> None:
        """Nothing to load: voices are compared for few recordings, and their model is small."""

    def unfit(self, layout: ChannelLayout) -> str | None:
        return UNFIT.get(layout.kind)

    def diarize(self, request: DiarizationRequest) -> tuple[Turn, ...]:
        parts = _parts(request)
        if request.num_speakers == 1:
            return _numbered(replace(turn, speaker=0) for part in parts for turn in _together(part))
        heads = self._heads(parts, request.num_speakers or 0)
        found: list[Turn] = []
        for part, count in zip(parts, heads, strict=True):
            turns = self._apart(part, count) if count > 1 else _together(part)
            first = 1 + max((turn.speaker for turn in found), default=-1)
            found.extend(replace(turn, speaker=first + turn.speaker) for turn in turns)
        return _numbered(found)

    def _heads(self, parts: list[DiarizationRequest], wanted: int) -> list[int]:
        """How many speak in each channel: one, and more where voices differ most until all are ``wanted``."""
        heads = [int(bool(part.speech[0] or part.transcript.words)) for part in parts]
        if sum(heads) >= wanted:
            return heads
        self._encoder.load()
        heard = [listen(part.layout.voices[0], part.speech[0], self._encoder) for part in parts]
        while sum(heads) < wanted:
            alike = [_likeness(speech, count + 1) for speech, count in zip(heard, heads, strict=True)]
            if min(alike) == math.inf:
                break
            heads[alike.index(min(alike))] += 1
        return heads

    def _apart(self, part: DiarizationRequest, count: int) -> list[Turn]:
        self._by_voice.load()
        channel = part.layout.voices[0].channel
        turns = self._by_voice.diarize(replace(part, num_speakers=count))
        return [replace(turn, channel=channel) for turn in turns]


def _parts(request: DiarizationRequest) -> list[DiarizationRequest]:
    """One request for each channel, with its own words."""
    layout = request.layout
    return [
        DiarizationRequest(
            ChannelLayout(ChannelKind.ONE_SIDED, (voice,), (levels,)),
            (speech,),
            Transcript(
                tuple(word for word in request.transcript.words if word.channel == voice.channel),
                request.transcript.language,
            ),
        )
        for voice, levels, speech in zip(layout.voices, layout.loudness, request.speech, strict=True)
    ]


def _together(part: DiarizationRequest) -> list[Turn]:
    channel = part.layout.voices[0].channel
    return [
        Turn(0, stretch.start_s, stretch.end_s, channel)
        for stretch in _stretches(part.speech[0], part.transcript.words)
    ]


def _stretches(speech: Iterable[Span], words: Iterable[Word]) -> list[Span]:
    """The stretches of speech (apart, in order), then the words (in order) that none of them touches."""
    stretches = list(speech)
    starts = [stretch.start_s for stretch in stretches]
    alone: list[Span] = []
    for word in words:
        place = bisect_right(starts, word.end_s)
        near = [*stretches[max(place - 1, 0) : place], *alone[-1:]]
        if not any(each.start_s <= word.end_s and word.start_s <= each.end_s for each in near):
            alone.append(Span(word.start_s, word.end_s))
    return stretches + alone


def _likeness(speech: Speech, count: int) -> float:
    """How alike (cosine) the two most alike of ``count`` voices in ``speech`` are; infinite for too little.

    The less is heard of a voice, the less its difference counts: as when their number is looked for.
    """
    import numpy as np

    whole = np.flatnonzero(speech.fits[:, 1])
    voices = speech.voices[1, whole[spread(len(whole))]] if len(whole) else speech.voices[0, :0]
    if len(voices) < 2 * count:
        return math.inf
    centroids = find_speakers(voices, speech.seconds, MOST_SPEAKERS, count)
    labels = np.argmax(voices @ centroids.T, axis=1)
    spoken_s = np.bincount(labels, minlength=count) / len(labels) * speech.seconds
    pairs = np.triu_indices(count, 1)
    shorter_s = np.minimum(spoken_s[:, None], spoken_s)[pairs]
    return float(np.max((centroids @ centroids.T)[pairs] + TWO_SHORT / np.maximum(shorter_s, 0.1)))


def _numbered(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """``turns`` in order, with speakers numbered as they appear."""
    ordered = sorted(turns, key=lambda turn: (turn.start_s, turn.end_s, turn.speaker))
    numbers: dict[int, int] = {}
    return tuple(replace(turn, speaker=numbers.setdefault(turn.speaker, len(numbers))) for turn in ordered)
