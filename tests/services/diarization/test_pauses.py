"""Speakers by pauses: the next one speaks after each gap of half a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.config import Settings
from app.schemas.audio import Audio, ChannelKind, ChannelLayout
from app.schemas.transcript import Transcript, Turn, Word
from app.services.alignment_service import align
from app.services.diarization.base import DiarizationRequest
from app.services.diarization.pauses import PausesEngine
from tests.services.test_alignment_service import FIRST, SECOND, spoken

NO_AUDIO = ChannelLayout(ChannelKind.MONO, (Audio(Path("never-read.pcm"), 0),), ((),))


def turns_of(*words: Word, num_speakers: int | None = None) -> tuple[Turn, ...]:
    request = DiarizationRequest(NO_AUDIO, ((),), Transcript(words, "en"), num_speakers)
    return PausesEngine(Settings(_env_file=None)).diarize(request)


def test_two_speakers_alternate_at_pauses() -> None:
    words = [Word("a", 0.0, 1.0), Word("b", 1.4, 2.0), Word("c", 2.6, 3.0), Word("d", 4.0, 5.0)]
    assert turns_of(*words) == (Turn(0, 0.0, 2.0), Turn(1, 2.6, 3.0), Turn(0, 4.0, 5.0))


@pytest.mark.parametrize(
    ("num_speakers", "numbers"), [(1, [0, 0, 0, 0]), (2, [0, 1, 0, 1]), (3, [0, 1, 2, 0])]
)
def test_the_number_of_speakers_is_obeyed(num_speakers: int, numbers: list[int]) -> None:
    words = [Word("a", at_s, at_s + 1) for at_s in (0.0, 2.0, 4.0, 6.0)]
    assert [turn.speaker for turn in turns_of(*words, num_speakers=num_speakers)] == numbers


@pytest.mark.parametrize(("start_s", "turns"), [(1.59, 1), (1.6, 2), (1.61, 2)])
def test_half_a_second_is_enough(start_s: float, turns: int) -> None:
    """1.6 - 1.1 is a hair less than 0.5 in binary; it counts all the same."""
    assert len(turns_of(Word("a", 0.0, 1.1), Word("b", start_s, 2.0))) == turns


def test_a_long_word_that_covers_a_shorter_one_is_no_pause() -> None:
    words = [Word("looong", 0.0, 3.0), Word("b", 0.5, 1.0), Word("c", 3.2, 4.0)]
    assert turns_of(*words) == (Turn(0, 0.0, 4.0),)


@pytest.mark.parametrize("kind", ChannelKind)
def test_any_recording_will_do(kind: ChannelKind) -> None:
    assert PausesEngine(Settings(_env_file=None)).unfit(ChannelLayout(kind, (), ())) is None


def test_the_example_of_the_service() -> None:
    words = (*spoken(FIRST, 0.0, 3.5), *spoken(SECOND, 4.0, 8.2))
    segments = align(Transcript(words, "en"), turns_of(*words))
    assert [(each.speaker, each.start_s, each.end_s, each.text) for each in segments] == [
        ("speaker_0", 0.0, 3.5, FIRST),
        ("speaker_1", 4.0, 8.2, SECOND),
    ]
