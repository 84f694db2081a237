"""Speakers by pauses: the other one speaks after each gap of half a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.config import Settings
from app.schemas.audio import Audio
from app.schemas.transcript import Transcript, Turn, Word
from app.services.alignment_service import align
from app.services.diarization.pauses import PausesEngine
from tests.services.test_alignment_service import FIRST, SECOND, spoken

NO_AUDIO = Audio(Path("never-read.pcm"), 0)


def turns_of(*words: Word) -> tuple[Turn, ...]:
    return PausesEngine(Settings(_env_file=None)).diarize(NO_AUDIO, Transcript(words, "en"))


def test_two_speakers_alternate_at_pauses() -> None:
    words = [Word("a", 0.0, 1.0), Word("b", 1.4, 2.0), Word("c", 2.6, 3.0), Word("d", 4.0, 5.0)]
    assert turns_of(*words) == (Turn(0, 0.0, 2.0), Turn(1, 2.6, 3.0), Turn(0, 4.0, 5.0))


@pytest.mark.parametrize(("start_s", "turns"), [(1.59, 1), (1.6, 2), (1.61, 2)])
def test_half_a_second_is_enough(start_s: float, turns: int) -> None:
    """1.6 - 1.1 is a hair less than 0.5 in binary; it counts all the same."""
    assert len(turns_of(Word("a", 0.0, 1.1), Word("b", start_s, 2.0))) == turns


def test_a_long_word_that_covers_a_shorter_one_is_no_pause() -> None:
    words = [Word("looong", 0.0, 3.0), Word("b", 0.5, 1.0), Word("c", 3.2, 4.0)]
    assert turns_of(*words) == (Turn(0, 0.0, 4.0),)


def test_the_example_of_the_service() -> None:
    transcript = Transcript((*spoken(FIRST, 0.0, 3.5), *spoken(SECOND, 4.0, 8.2)), "en")
    segments = align(transcript, PausesEngine(Settings(_env_file=None)).diarize(NO_AUDIO, transcript))
    assert [(each.speaker, each.start_s, each.end_s, each.text) for each in segments] == [
        ("speaker_0", 0.0, 3.5, FIRST),
        ("speaker_1", 4.0, 8.2, SECOND),
    ]
