"""The port that every engine which tells speakers apart implements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.schemas.audio import ChannelLayout, Span
from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Transcript, Turn

MOST_SPEAKERS = 6
"""As many voices as an engine looks for when it is not told their number."""


@dataclass(frozen=True)
class DiarizationRequest:
    """One recording to tell speakers apart in.

    ``speech``: for each of ``layout.voices``, its stretches of speech in order. ``transcript``: the words, in
    order of their start; with several voices each word carries its channel. ``num_speakers``: obeyed where
    given.
    """

    layout: ChannelLayout
    speech: tuple[tuple[Span, ...], ...]
    transcript: Transcript
    num_speakers: int | None = None


class DiarizationEngine(Protocol):
    """Who speaks when. Made cheaply; reads the audio and changes nothing; same input, same turns."""

    name: str
    capabilities: Capabilities

    @property
    def label(self) -> str: ...

    def availability(self) -> Availability: ...

    def fetch(self) -> None: ...

    def load(self) -> None: ...

    def unfit(self, layout: ChannelLayout) -> str | None:
        """Why a recording with these channels is not for this engine; None when it is."""
        ...

    def diarize(self, request: DiarizationRequest) -> tuple[Turn, ...]:
        """Turns in order of time; speakers numbered from 0 as they appear, overlapping where two speak at
        once. A word between turns goes to the nearest one. There is a turn wherever there are words."""
        ...
