"""Who holds the floor over short interjections."""

from __future__ import annotations

import pytest

from app.schemas.metrics import SpeakerSpan, SpeakerTurn
from app.services.monologues import held_floor


def turn(speaker: str, start_s: float, end_s: float) -> SpeakerTurn:
    return SpeakerTurn(speaker, start_s, end_s, words=1, segment=0)


@pytest.mark.parametrize(
    ("interjection", "again_s", "held"),
    [
        ((10.5, 12.4), 12.5, 1),
        ((10.5, 12.5), 12.6, 2),  # 2 s are no interjection
        ((11.5, 13.4), 14.8, 1),  # 1.5 and 1.4 s of silence
        ((11.5, 13.4), 15.0, 2),  # 1.5 and 1.6 s
        ((9.0, 10.9), 11.0, 1),
    ],
)
def test_interjections_and_pauses(interjection: tuple[float, float], again_s: float, held: int) -> None:
    turns = [turn("a", 0, 10), turn("b", *interjection), turn("a", again_s, 20)]
    turns.sort(key=lambda each: each.start_s)
    spans = held_floor(turns, "a", 2.0)
    assert len(spans) == held
    assert spans[-1] == SpeakerSpan("a", 0 if held == 1 else again_s, 20)


def test_interjections_of_two_others_at_once_count_once() -> None:
    turns = [turn("a", 0, 10), turn("b", 11, 12.5), turn("c", 11, 12.5), turn("a", 14.6, 20)]
    assert len(held_floor(turns, "a", 2.0)) == 2  # 4.6 s less 1.5
    assert len(held_floor(turns[:-1], "b", 2.0)) == 1
    assert held_floor(turns, "nobody", 2.0) == ()
