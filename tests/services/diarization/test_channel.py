"""Speakers by channel: each party is who speaks in its channel, also where both speak at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.config import Settings
from app.schemas.audio import SAMPLE_RATE, Audio, ChannelKind, ChannelLayout, Span
from app.schemas.transcript import Transcript, Turn, Word
from app.services.diarization.base import DiarizationRequest
from app.services.diarization.channel import ChannelEngine

RECORDING = Audio(Path("never-read.pcm"), 60 * SAMPLE_RATE, channel_count=2)
BOTH = ChannelLayout(ChannelKind.SEPARATE, (RECORDING.of_channel(0), RECORDING.of_channel(1)), ((), ()))


def make_engine() -> ChannelEngine:
    return ChannelEngine(Settings(_env_file=None))


def turns_of(
    first: tuple[Span, ...],
    second: tuple[Span, ...],
    words: tuple[Word, ...] = (),
    num_speakers: int | None = None,
) -> tuple[Turn, ...]:
    request = DiarizationRequest(BOTH, (first, second), Transcript(words, "en"), num_speakers)
    return make_engine().diarize(request)


def test_each_channel_is_a_speaker() -> None:
    turns = turns_of((Span(0, 2), Span(5, 6)), (Span(2.5, 4.5),))

    assert turns == (Turn(0, 0, 2, 0), Turn(1, 2.5, 4.5, 1), Turn(0, 5, 6, 0))


def test_speakers_are_numbered_as_they_appear() -> None:
    turns = turns_of((Span(3, 4),), (Span(1, 2), Span(5, 6)))

    assert turns == (Turn(0, 1, 2, 1), Turn(1, 3, 4, 0), Turn(0, 5, 6, 1))


def test_both_at_once_overlap() -> None:
    assert turns_of((Span(1, 4),), (Span(1, 3),)) == (Turn(0, 1, 3, 1), Turn(1, 1, 4, 0))


def test_one_party_only() -> None:
    assert turns_of((), (Span(1, 2),)) == (Turn(0, 1, 2, 1),)


def test_nobody() -> None:
    assert turns_of((), ()) == ()


def test_words_outside_of_all_speech_have_turns_too() -> None:
    words = (
        Word("well", 0.5, 0.8, channel=1),
        Word("yes", 2.1, 2.4, channel=0),
        Word("so", 9, 9.5, channel=0),
    )

    turns = turns_of((Span(2, 3),), (), words)

    assert turns == (Turn(0, 0.5, 0.8, 1), Turn(1, 2, 3, 0), Turn(1, 9, 9.5, 0))


def test_one_speaker_where_there_is_to_be_one() -> None:
    turns = turns_of((Span(0, 2),), (Span(1, 3),), num_speakers=1)

    assert turns == (Turn(0, 0, 2, 0), Turn(0, 1, 3, 1))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (ChannelKind.MONO, "the recording has one channel"),
        (ChannelKind.DUAL_MONO, "both channels carry the same signal"),
        (ChannelKind.ONE_SIDED, "one channel is silent"),
        (ChannelKind.SEPARATE, None),
    ],
)
def test_only_channels_with_a_party_each(kind: ChannelKind, reason: str | None) -> None:
    assert make_engine().unfit(ChannelLayout(kind, (RECORDING,), ((),))) == reason
