"""Times that are made up, and words that are written as their text is."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemas.transcript import Word, join_words
from app.services.stt.word_times import interpolated, spread, written

NAN = math.nan


def times(words: list[Word] | tuple[Word, ...]) -> list[tuple[float, float]]:
    return [(word.start_s, word.end_s) for word in words]


def test_words_are_spread_by_the_length_of_their_text() -> None:
    words = spread(" I would gladly.", 2.0, 3.3, 0.7)
    assert [word.text for word in words] == ["I", "would", "gladly."]
    assert [edge for pair in times(words) for edge in pair] == pytest.approx([2.0, 2.1, 2.1, 2.6, 2.6, 3.3])
    assert all(word.estimated and word.confidence == 0.7 and word.space_before for word in words)
    assert [word.ends_segment for word in words] == [False, False, True]


def test_ideographs_are_words_without_spaces() -> None:
    words = spread("你好，世界 OK!", 0.0, 1.0)
    assert [word.text for word in words] == ["你", "好，", "世", "界", "OK!"]
    assert join_words(words) == "你好，世界 OK!"


@given(st.text(max_size=40), st.floats(0, 30), st.floats(0, 30))
def test_whatever_the_text_all_of_it_is_spread_over_all_of_the_time(
    text: str, start_s: float, length_s: float
) -> None:
    words = spread(text, start_s, start_s + length_s)
    assert "".join(word.text for word in words) == "".join(text.split())
    assert " ".join(join_words(words).split()) == " ".join(text.split())
    if words:
        assert words[0].start_s == start_s
        assert words[-1].end_s == pytest.approx(start_s + length_s)
    for before, after in pairwise(words):
        assert before.start_s <= before.end_s == after.start_s


def test_a_segment_without_times_is_put_where_its_neighbours_leave_room() -> None:
    known = Word("Yes", 1.0, 2.0)
    words = interpolated([known, *spread("ab cd", NAN, NAN), Word("no", 6.0, 7.0)], 10.0)
    assert times(words) == [(1.0, 2.0), (2.0, 4.0), (4.0, 6.0), (6.0, 7.0)]
    assert words[0] is known
    assert [word.estimated for word in words] == [False, True, True, False]


def test_the_ends_of_the_window_are_neighbours_too() -> None:
    assert times(interpolated([Word("one", NAN, NAN), Word("seven", NAN, NAN)], 8.0)) == [(0, 3), (3, 8)]
    assert times(interpolated([Word("a", NAN, NAN), Word("b", 2, 3), Word("c", NAN, NAN)], 5.0)) == [
        (0, 2),
        (2, 3),
        (3, 5),
    ]


@pytest.mark.parametrize("bad", [NAN, math.inf, -math.inf])
def test_one_missing_time_is_enough_to_be_marked(bad: float) -> None:
    words = interpolated([Word("ab", 1.0, bad), Word("cd", bad, 3.0), Word("ef", 4.0, 5.0)], 9.0)
    assert times(words) == [(1.0, 2.0), (2.0, 3.0), (4.0, 5.0)]
    assert [word.estimated for word in words] == [True, True, False]


EDGES = st.one_of(st.floats(), st.floats(0, 30))


@given(st.lists(st.builds(Word, st.text(max_size=3), EDGES, EDGES), max_size=8))
def test_all_times_become_numbers_and_known_ones_stay(words: list[Word]) -> None:
    for before, after in zip(words, interpolated(words, 30.0), strict=True):
        assert math.isfinite(after.start_s) and math.isfinite(after.end_s)
        is_known = math.isfinite(before.start_s) and math.isfinite(before.end_s)
        assert after.estimated is not is_known
        assert after == before or not is_known


@pytest.mark.parametrize(
    ("bare", "text"),
    [
        (["Well", "can", "I", "twenty", "five"], "Well, can I? Twenty-five!".replace("Twenty", "twenty")),
        (["Qué", "dice"], "¿Qué dice?"),
        (["he", "said", "no", "way"], "he said “no way”."),
        (["你", "好", "世", "界"], "你好，世界。"),
        ([" Hello,", " world."], " Hello, world."),
    ],
)
def test_bare_words_are_written_as_the_text_is(bare: list[str], text: str) -> None:
    words = [Word(each, at, at + 1) for at, each in enumerate(bare)]
    dressed = written(words, text)
    assert join_words(dressed) == text.strip()
    assert times(dressed) == times(words)


def test_a_dash_that_stands_alone_is_no_word() -> None:
    assert join_words(written([Word("so", 0, 1), Word("yes", 1, 2)], "- so - yes -")) == "so yes"


@pytest.mark.parametrize("text", ["", "something else", "two words more", "words two", "one two words"])
def test_words_that_are_not_the_texts_are_left_alone(text: str) -> None:
    words = [Word("two", 0, 1), Word("words", 1, 2)]
    assert written(words, text) == words
    assert written([], text) == []
    assert written([Word(" ", 0, 1)], text) == [Word(" ", 0, 1)]
