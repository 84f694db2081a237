"""Fillers: hesitations anywhere, asides where marks set them off."""

from __future__ import annotations

import pytest

from app.schemas.transcript import Segment
from app.services.metrics.fillers import find_fillers
from app.services.metrics.vocabulary import vocabulary_of
from tests.services.metrics.factories import AGENT, words


@pytest.mark.parametrize(
    ("text", "fillers"),
    [
        ("Um, so uh we start", ["um", "uh"]),
        ("It is, you know, fine", ["you know"]),
        ("Do you know the price?", []),
        ("I like it, like, a lot", ["like"]),
        ("Uh-huh. Mm-hmm. Uh huh.", []),
        ("uh-uh", ["uh", "uh"]),
        ("That kind of plan", []),
        ("You know,", ["you know"]),
        ("…", []),
    ],
)
def test_english(text: str, fillers: list[str]) -> None:
    found = find_fillers([Segment(0, AGENT, words(text, 0, 1))], vocabulary_of("en"), 1_000)
    assert found is not None
    assert [filler.text for filler in found] == fillers


def test_a_filler_tells_its_place() -> None:
    found = find_fillers([Segment(7, AGENT, words("well, you know, yes", 0, 4))], vocabulary_of("en"), 10_000)
    assert found is not None
    (filler,) = found
    assert (filler.segment, filler.first_word, filler.start_s, filler.end_s) == (7, 1, 1.0, 3.0)


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("de", "Ähm, das ist, sozusagen, gut", 2),
        ("fr", "Euh oui", 1),
        ("es", "Eh, pues, sí", 2),
        ("hi", "मतलब, ठीक", 1),
    ],
)
def test_other_languages(language: str, text: str, count: int) -> None:
    found = find_fillers([Segment(0, AGENT, words(text, 0, 1))], vocabulary_of(language), 1_000)
    assert found is not None
    assert len(found) == count


def test_without_a_list_nothing_is_said_about_fillers() -> None:
    assert find_fillers([Segment(0, AGENT, words("um", 0, 1))], None, 1_000) is None
