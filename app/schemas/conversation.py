"""A call once its words, speakers and feelings are known: what metrics and moments are made from."""

from __future__ import annotations

from dataclasses import dataclass

from app.schemas.reading import Reading
from app.schemas.sentiment import Sentiment
from app.schemas.speaker import Speaker
from app.schemas.transcript import Segment


@dataclass(frozen=True)
class Conversation:
    """``sentiments``: one for each segment, None where it was not judged. ``speakers``: one for each speaker
    named in the segments, whose ``role`` is this speaker's.

    ``readings``: one for each segment, None where it was not read; empty where nothing was.

    ``loudness``: for each signal that was worked on, its level in dB of full scale by whole seconds (-100
    where there is nothing). ``separate_channels``: each party was recorded alone, so that overlap is heard
    and not guessed; ``loudness`` then has an entry for each channel, else a single one.
    """

    duration_s: float
    segments: tuple[Segment, ...]
    sentiments: tuple[Sentiment | None, ...]
    speakers: tuple[Speaker, ...]
    loudness: tuple[tuple[float, ...], ...] = ()
    separate_channels: bool = False
    language: str | None = None
    readings: tuple[Reading | None, ...] = ()
