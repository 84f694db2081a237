"""All phrases at once: nothing missed, overlapping matches kept, time linear in the text."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.coachable import automaton as module
from app.services.coachable.automaton import Automaton
from app.services.coachable.phrases import BUILT_IN, read_phrase
from app.services.coachable.tokens import tokenise
from tests.services.coachable.factories import built_in_rules, find_in_text


def automaton(*phrases: str) -> Automaton:
    return Automaton([read_phrase(phrase, BUILT_IN, exclusion=False) for phrase in phrases])


def matches(text: str, *phrases: str) -> list[tuple[int, int, int]]:
    return automaton(*phrases).matches(tokenise(text))


def test_overlapping_matches_of_several_phrases() -> None:
    assert matches("a b c", "a b", "b c", "a [b] [c]", "c") == [
        (2, 0, 0), (0, 0, 1), (2, 0, 1), (2, 0, 2), (1, 1, 2), (3, 2, 2),
    ]  # fmt: skip


WORDS = st.lists(st.sampled_from(["a", "b", "c", "one", "nope"]), max_size=8)


@given(WORDS, st.integers(1, 4))
def test_gaps_agree_with_counting(words: list[str], limit: int) -> None:
    text = " ".join(f"{word}{place}" if word == "nope" else word for place, word in enumerate(words))
    tokens = tokenise(text).words
    expected = [
        (0, first, last)
        for first in range(len(tokens))
        for last in range(first + 1, len(tokens))
        if tokens[first] == "a" and tokens[last] == "b" and last - first - 1 <= limit
    ]
    assert matches(text, f"a ...{limit} b") == expected


def test_forgetting_its_states_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a b c d a c one b a x y b c"
    phrases = ("a ... b", "a [b] c", "{number} ...2 a", "x y")
    before = automaton(*phrases).matches(tokenise(text))
    monkeypatch.setattr(module, "_MAX_STATES", 1)
    monkeypatch.setattr(module, "_MAX_REMEMBERED_WORDS", 1)
    assert automaton(*phrases).matches(tokenise(text)) == before
    assert (3, 9, 10) in before


def _steps(work: Callable[[], object]) -> int:
    """Lines of Python that ``work`` runs."""
    steps = 0

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal steps
        steps += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return steps


@pytest.mark.parametrize(
    "words",
    [
        "i do not really think that you can",
        "we will send it over to you by",
        "what is it that is not",
        "too expensive not too expensive",
        "a'm'm'm b?c.d 1,000,000 %",
    ],
)
def test_hostile_text_takes_linear_time(words: str) -> None:
    rules = built_in_rules()

    def steps(times: int) -> int:
        return _steps(lambda: find_in_text(rules, f"{words} " * times, "unknown"))

    steps(20)
    short, long = steps(20), steps(120)
    assert long <= 6.3 * short


def test_twenty_thousand_words_are_read_to_the_end() -> None:
    rules = built_in_rules()
    text = "not sure if we " * 5_000 + "that is too expensive for us"
    assert "price_too_high" in {finding.rule.id for finding in find_in_text(rules, text)}
