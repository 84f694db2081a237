"""Conditions of rules: exclusions, absence, counting, questions, roles."""

from __future__ import annotations

import pytest

from app.services.coachable.rules import RuleSet
from tests.services.coachable.factories import find_in_text, found, playbook, rule


@pytest.mark.parametrize(
    ("unless", "text", "words"),
    [
        ("not too expensive", "it is not too expensive", []),
        ("not too expensive", "it is too expensive", ["too expensive"]),
        ("not @", "not too expensive", []),
        ("not @", "not at all too expensive", ["too expensive"]),
        ("not ... @", "not at all too expensive", []),
        ("not ... @", "Why not? Too expensive.", ["Too expensive"]),
        ("@ for them", "too expensive for them", []),
        ("@ for them", "too expensive for us", ["too expensive"]),
        ("@ ... them", "too expensive for all of them", []),
        ("@ ... them", "Too expensive. Not for them.", ["Too expensive"]),
        ("not ... @", "it is too expensive but not for us it is too expensive", ["too expensive"]),
    ],
)
def test_unless_takes_back_what_stands_beside_it(unless: str, text: str, words: list[str]) -> None:
    assert found(text, phrases=["too expensive"], unless=[unless]) == words


def test_absent_looks_at_the_whole_segment() -> None:
    condition = {"phrases": ["call you back"], "absent": ["leave a message"]}
    assert found("Leave a message. I will call you back.", **condition) == []
    assert found("I will call you back.", **condition) == ["call you back"]


def test_at_least_counts_places_and_spans_the_first_of_them() -> None:
    condition = {"phrases": ["i guess", "guess maybe", "maybe"], "at_least": 2}
    assert found("I guess maybe.", **condition) == ["I guess maybe"]
    assert found("I guess so", **condition) == []
    assert found("Maybe it works, I guess, maybe.", **condition) == ["Maybe it works, I guess"]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("What is your budget?", True),
        ("The budget, your budget?", True),
        ("So, and what is your budget.", True),
        ("I know your budget.", False),
        ("I know what is your budget.", False),
        ("what is your budget", True),
        ("that is plenty so what would you say is your budget", True),
        ("walk me through your budget", True),
        ("i have seen your budget", False),
        ("we have it can you tell me your budget", True),
        ("Is it big? I have seen your budget.", False),
    ],
)
def test_questions_are_known_by_grammar(text: str, asked: bool) -> None:
    assert bool(found(text, phrases=["your budget"], only_questions=True)) is asked


@pytest.mark.parametrize(
    ("language", "text", "asked"),
    [
        ("es", "y cuándo lo tendrían", True),
        ("es", "ya lo tendrían", False),
        ("fr", "et comment vous le faites", True),
        ("fr", "Vous le faites.", False),
        ("de", "Und wie machen Sie das.", True),
        ("de", "Das machen sie.", False),
        ("hi", "आप कब देते हैं", True),
        ("pt", "e quanto tempo leva", True),
        ("pt", "leva tempo", False),
    ],
)  # fmt: skip
def test_questions_of_other_languages(language: str, text: str, asked: bool) -> None:
    asks = rule(
        languages=[language],
        condition={
            "phrases": ["tendrían", "vous le faites", "machen sie", "देते हैं", "leva"],
            "only_questions": True,
        },
    )
    assert bool(find_in_text(RuleSet(playbook(asks), language), text)) is asked


@pytest.mark.parametrize(
    ("rule_role", "role", "confidence"),
    [
        ("customer", "customer", 0.8),
        ("customer", "agent", None),
        ("agent", "customer", None),
        ("customer", "unknown", 0.64),
        ("anyone", "unknown", 0.8),
        ("anyone", "agent", 0.8),
    ],
)
def test_an_unknown_role_counts_as_met_and_costs_a_fifth(
    rule_role: str, role: str, confidence: float | None
) -> None:
    rules = RuleSet(playbook(rule(role=rule_role)), "en")
    sure = [finding.confidence for finding in find_in_text(rules, "I want it", role)]
    assert sure == ([] if confidence is None else [pytest.approx(confidence)])


def test_rules_of_other_languages_are_left_out() -> None:
    rules = playbook(rule(languages=["de"]))
    assert find_in_text(RuleSet(rules, "en"), "I want it") == []
    assert len(find_in_text(RuleSet(rules, "de"), "I want it")) == 1
