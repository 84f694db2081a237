"""What the table of word error rates counts."""

from __future__ import annotations

import httpx
import pytest

from bench.wer import Outcome, named, normalised, summary, word_error_rate


def outcome(answer: str | None, words: int = 0, rate: float | None = None, quality: str = "human") -> Outcome:
    return Outcome("a.wav", "en", quality, 200, answer, words, words, rate)


def test_case_and_punctuation_do_not_count_accents_and_apostrophes_do() -> None:
    assert normalised("Don\u2019t, ASK: 15 %!") == "don't ask 15"
    assert word_error_rate("Der Müller kommt.", "der müller kommt") == 0
    assert word_error_rate("Der Müller kommt.", "der muller kommt") == pytest.approx(1 / 3)


def test_nothing_heard_is_every_word_missed() -> None:
    assert word_error_rate("one two three", "") == 1


def test_long_files_weigh_by_their_words() -> None:
    figures = summary("engine", [outcome("completed", 90, 0.1), outcome("completed", 10, 1.0)])
    assert figures[1].value == pytest.approx(0.19)


def test_references_of_other_kinds_are_apart() -> None:
    figures = summary("engine", [outcome("completed", 10, 0.1), outcome("completed", 10, 0.5, "prompt-text")])
    assert [figure.value for figure in figures] == pytest.approx([2, 0.1, 0.1, 0.5, 0.5])


def test_a_file_without_a_result_or_a_named_problem_misses_the_target() -> None:
    assert summary("engine", [outcome("unsupported_media"), outcome(None)])[0].met is False


def test_an_internal_error_is_no_named_problem() -> None:
    def problem(code: str) -> httpx.Response:
        return httpx.Response(500, headers={"content-type": "application/problem+json"}, json={"code": code})

    assert named(problem("internal_error"), {"code": "internal_error"}) is None
    assert named(problem("empty_audio"), {"code": "empty_audio"}) == "empty_audio"
