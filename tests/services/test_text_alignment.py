"""Corrected words: which keep their times, and where the others stand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemas.transcript import Word, join_words
from app.services.text_alignment import corrected_words, one_line
from tests.analyses import spoken

HEARD = tuple(replace(word, channel=1) for word in spoken("that is too expansive for us", 1.0).words)


def times(words: tuple[Word, ...]) -> list[tuple[str, float, float, bool]]:
    return [(word.text, round(word.start_s, 3), round(word.end_s, 3), word.estimated) for word in words]


def test_a_word_for_a_word_has_its_time() -> None:
    found = corrected_words(HEARD, "that is too expensive for us")
    assert found[:3] + found[4:] == HEARD[:3] + HEARD[4:]
    assert found[3] == Word("expensive", 2.5, 2.9, None, channel=1, estimated=True)


def test_capitals_and_punctuation_leave_a_word_what_it_was() -> None:
    found = corrected_words(HEARD, "That is too expansive, for us.")
    assert [word.text for word in found] == ["That", "is", "too", "expansive,", "for", "us."]
    assert [replace(word, text="") for word in found] == [replace(word, text="") for word in HEARD]


def test_more_or_fewer_words_share_the_time_of_those_that_they_stand_for() -> None:
    found = corrected_words(HEARD, "that is much to dear for us")
    assert times(found)[2:5] == [
        ("much", 2.0, 2.36, True),
        ("to", 2.36, 2.54, True),
        ("dear", 2.54, 2.9, True),
    ]
    fewer = corrected_words(HEARD, "that is costly for us")
    assert times(fewer)[2] == ("costly", 2.0, 2.9, True)


def test_words_that_were_left_out_stand_in_the_pause_or_at_the_edge() -> None:
    found = times(corrected_words(HEARD, "well that really is too expansive for us today"))
    assert found[0] == ("well", 1.0, 1.0, True)
    assert found[2] == ("really", 1.4, 1.5, True)
    assert found[-1] == ("today", 3.9, 3.9, True)
    assert [word for word in found if not word[3]] == times(HEARD)


def test_what_was_not_said_leaves_no_trace() -> None:
    assert corrected_words(HEARD, "too expansive") == HEARD[2:4]


def test_the_end_of_a_segment_stays_its_end() -> None:
    ended = (*HEARD[:-1], replace(HEARD[-1], ends_segment=True))
    for text in ("that is", "that is too expansive for us all"):
        assert [word.ends_segment for word in corrected_words(ended, text)][-2:] == [False, True]


def test_words_written_together_are_the_ones_that_were_heard_apart_or_together() -> None:
    apart = (Word("I", 0.0, 0.1), Word("don", 0.2, 0.3, 0.5), Word("'t", 0.3, 0.4, 0.6, False))
    assert corrected_words(apart, "we don't")[1:] == apart[1:]
    together = (Word("你好", 0.0, 0.4, 0.9, False), Word("世界", 0.4, 0.8, 0.9, False))
    assert times(corrected_words(together, "你好地球")) == [
        ("你好", 0.0, 0.4, False),
        ("地", 0.4, 0.6, True),
        ("球", 0.6, 0.8, True),
    ]


@pytest.mark.parametrize("text", ["...", "é", "a  b\nc", "你好 and you", "don't-you"])
def test_the_words_are_the_text(text: str) -> None:
    assert join_words(corrected_words(HEARD, text)) == one_line(text)


_TEXT = st.lists(st.sampled_from([*"abc", "a,", "B", "don't", "你", "你好", "x-y", "..."]), min_size=1).map(
    " ".join
)
_GLUED = st.text(st.sampled_from("ab 你好'"), min_size=1).filter(str.strip)


@given(heard=_TEXT, text=_TEXT | _GLUED)
def test_whatever_is_written_is_said_in_order_within_the_segment(heard: str, text: str) -> None:
    words = spoken(heard, 2.0).words
    found = corrected_words(words, text)
    assert join_words(found) == one_line(text)
    edges = [edge for word in found for edge in (word.start_s, word.end_s)]
    assert edges == sorted(edges)
    assert words[0].start_s <= edges[0] and edges[-1] <= words[-1].end_s
    assert all(any(word.start_s == old.start_s for old in words) for word in found if not word.estimated)


@given(heard=_TEXT)
def test_the_text_as_it_was_heard_has_the_words_that_were_heard(heard: str) -> None:
    words = spoken(heard, 2.0).words
    assert corrected_words(words, heard) == words
