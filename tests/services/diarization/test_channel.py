"""Speakers by channel: each party is who speaks in its channel, also where both speak at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.config import Settings
from app.schemas.audio import SAMPLE_RATE, Audio, ChannelKind, ChannelLayout, Span
from app.schemas.transcript import Transcript, Turn, Word
from app.services.audio.channels import look_at_channels
from app.services.audio.vad import VoiceActivity
from app.services.diarization.base import DiarizationRequest
from app.services.diarization.channel import ChannelEngine
from tests.services.audio.recordings import SHARED, make_decoder, needs_recordings
from tests.services.audio.talk import two_channels

AGENT_FILE, CALLER_FILE = "aws_auto_repairs_49_agent_8k.wav", "aws_auto_repairs_49_caller_8k.wav"
READER_FILE = "librivox_sonnet1_en.mp3"
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


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audio]:
    """Samples of the recordings that are mixed here, by file name."""
    decoder, files = make_decoder(), (AGENT_FILE, CALLER_FILE, READER_FILE)
    return {file: decoder.decode(SHARED / file, tmp_path_factory.mktemp("decoded")) for file in files}


def third_party(decoded: dict[str, Audio], tmp_path: Path, channel: int) -> DiarizationRequest:
    """A real call, in one channel of which another reader speaks instead during the second half."""
    channels = [decoded[file].read(Span(0, 80)) for file in (AGENT_FILE, CALLER_FILE)]
    reader = decoded[READER_FILE].read(Span(1, 41))
    spoken = channels[channel]
    spoken[len(spoken) - len(reader) :] = reader * spoken.std() / reader.std()
    audio = two_channels(tmp_path / "audio.pcm", *channels)
    layout = look_at_channels(audio)
    activity = VoiceActivity()
    speech = tuple(activity.detect(voice) for voice in layout.voices)
    return DiarizationRequest(layout, speech, Transcript((), "en"), 3)


@needs_recordings
@pytest.mark.parametrize("channel", [0, 1])
def test_a_third_party_is_found_in_the_channel_that_holds_two(
    channel: int, decoded: dict[str, Audio], tmp_path: Path
) -> None:
    request = third_party(decoded, tmp_path, channel)

    turns = make_engine().diarize(request)

    assert {turn.speaker for turn in turns} == {0, 1, 2}
    assert len({turn.speaker for turn in turns if turn.channel == 1 - channel}) == 1
    shared = [turn for turn in turns if turn.channel == channel]
    halves = [Counter[int](), Counter[int]()]
    for turn in shared:
        halves[turn.start_s >= 40][turn.speaker] += round(1000 * (turn.end_s - turn.start_s))
    (first, first_ms), (second, second_ms) = (half.most_common(1)[0] for half in halves)
    assert first != second
    assert first_ms + second_ms >= 0.9 * sum(sum(half.values()) for half in halves)
    assert make_engine().diarize(request) == turns


@needs_recordings
def test_a_third_party_who_is_not_asked_for_is_not_looked_for(
    decoded: dict[str, Audio], tmp_path: Path
) -> None:
    request = third_party(decoded, tmp_path, 1)

    for num_speakers in (None, 2):
        turns = make_engine().diarize(replace(request, num_speakers=num_speakers))
        assert {(turn.speaker, turn.channel) for turn in turns} == {(0, 0), (1, 1)}


def test_more_speakers_than_can_be_heard(tmp_path: Path) -> None:
    audio = two_channels(tmp_path / "audio.pcm", np.zeros(16000), np.zeros(16000))
    layout = ChannelLayout(
        ChannelKind.SEPARATE, (audio.of_channel(0), audio.of_channel(1)), ((-100.0,), (-100.0,))
    )
    request = DiarizationRequest(layout, ((Span(0, 0.5),), (Span(0.5, 1),)), Transcript((), "en"), 5)

    assert make_engine().diarize(request) == (Turn(0, 0, 0.5, 0), Turn(1, 0.5, 1, 1))
