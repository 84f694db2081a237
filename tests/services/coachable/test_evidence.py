"""The words that lie in a stretch of time."""

from __future__ import annotations

import pytest

from app.schemas.moment import Evidence
from app.schemas.transcript import Segment, Word
from app.services.coachable.evidence import evidence_in_time

SAID = Segment(
    0,
    "speaker_0",
    (
        Word(" I", 1.0, 1.2), Word("'m", 1.2, 1.4, space_before=False), Word("", 1.4, 1.4),
        Word("late ", 1.5, 2.0), Word(",", 2.0, 2.1, space_before=False), Word("sorry", 3.0, 3.5),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("start_s", "end_s", "text", "first", "last"),
    [
        (0.0, 9.0, SAID.text, 0, 5),
        (1.0, 1.4, "I'm", 0, 1),
        (1.3, 1.6, "'m  late", 1, 3),
        (3.2, 3.3, "sorry", 5, 5),
    ],
)
def test_words_in_a_stretch(start_s: float, end_s: float, text: str, first: int, last: int) -> None:
    found = evidence_in_time(SAID, start_s, end_s)
    assert found == Evidence(text, found.start_char, found.end_char, start_s, end_s, first, last)
    assert found.text == SAID.text[found.start_char : found.end_char]


@pytest.mark.parametrize("segment", [SAID, None])
def test_no_words_no_text(segment: Segment | None) -> None:
    assert evidence_in_time(segment, 2.2, 3.0) == Evidence("", 0, 0, 2.2, 3.0, 0, 0)
