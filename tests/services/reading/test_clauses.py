"""Clauses: what is cut where, and that nothing is lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.reading.clauses import clauses


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in clauses(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("That sounds great, but it is too expensive.", ["That sounds great", "but it is too expensive."]),
        (
            "Well, you'd have to find me another zero, love.",
            ["Well, you'd have to find me another zero, love."],
        ),
        ("I see. Send it by Friday? Fine.", ["I see.", "Send it by Friday?", "Fine."]),
        ("it comes to 9,99 a month, says Mr. Smith", ["it comes to 9,99 a month", "says Mr. Smith"]),
        (
            "yeah i mean it's good but we don't have the budget for it so maybe next year",
            ["yeah i mean it's good", "but we don't have the budget for it", "so maybe next year"],
        ),
        ("but it is good", ["but it is good"]),
        ("मेरे पास पैसे नहीं। बाद में देखते हैं", ["मेरे पास पैसे नहीं।", "बाद में देखते हैं"]),
        ("  ", []),
        ("?!", []),
    ],
)
def test_clauses(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


@given(st.text(st.sampled_from("abc, .?-—\nbutso and we  ")))
def test_every_letter_lies_in_one_clause_in_order(text: str) -> None:
    spans = clauses(text)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    inside = "".join(text[start:end] for start, end in spans)
    assert [c for c in inside if c.isalnum()] == [c for c in text if c.isalnum()]
