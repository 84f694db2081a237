"""Cutting texts into pieces with nothing lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.services.sentiment.windows import cut, sentences

TEXTS = st.text(alphabet="ab .!?。\n'", max_size=200)


def without_space(text: str) -> str:
    return "".join(text.split())


@given(TEXTS, st.integers(min_value=1, max_value=30))
def test_pieces_fit_and_carry_every_character(text: str, longest: int) -> None:
    pieces = cut(text, lambda piece: len(piece) <= longest)
    assert without_space("".join(pieces)) == without_space(text)
    assert all(0 < len(piece) <= longest and piece == piece.strip() for piece in pieces)


@given(TEXTS)
def test_sentences_carry_every_character(text: str) -> None:
    assert without_space("".join(sentences(text))) == without_space(text)


def test_a_text_that_fits_stays_whole() -> None:
    assert cut("  One. Two.  ", lambda piece: len(piece) < 50) == ["One. Two."]


def test_cuts_fall_between_sentences() -> None:
    text = "One is here. Two is here. Three is here. Four is here."
    assert cut(text, lambda piece: len(piece) < 30) == [
        "One is here. Two is here.",
        "Three is here. Four is here.",
    ]


def test_without_sentences_cuts_fall_between_words() -> None:
    pieces = cut("one two three four five six", lambda piece: len(piece) < 12)
    assert " ".join(pieces) == "one two three four five six"


def test_a_giant_word_is_cut_within() -> None:
    assert cut("x" * 100, lambda piece: len(piece) <= 25) == ["x" * 25] * 4


def test_sentences_keep_numbers_and_closing_quotes_whole() -> None:
    assert sentences('He said "no." It costs 9.99 a month! 好。是') == [
        'He said "no."',
        "It costs 9.99 a month!",
        "好。",
        "是",
    ]
