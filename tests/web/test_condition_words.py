"""Conditions of rules in words: every field of the schema is told."""

from __future__ import annotations

import pytest

from app.services.coachable.conditions import Condition
from app.services.coachable.detectors.registry import SignalCondition
from app.services.coachable.loader import load_playbook
from app.web.playbooks.condition_words import condition_lines
from app.web.playbooks.rules import languages_beside, rules_of


def told(**fields: object) -> list[str]:
    return [
        "  " * line.depth + line.text + "".join(f" <{phrase}>" for phrase in line.phrases)
        for line in condition_lines(Condition.model_validate(fields))
    ]


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"phrases": ["too dear"]}, ["One of these is said: <too dear>"]),
        ({"phrases": ["a", "b"], "at_least": 2}, ["2 of these are said: <a> <b>"]),
        (
            {"phrases": ["a", "b"], "order": "any", "within_words": 9},
            ["All are said within 9 words of a sentence: <a> <b>"],
        ),
        ({"regex": ["a+"]}, ["What is said fits: <a+>"]),
        (
            {
                "phrases": ["a"],
                "unless": ["b"],
                "absent": ["c"],
                "only_questions": True,
                "negated": "excluded",
            },
            [
                "One of these is said: <a>",
                "But not within: <b>",
                "And none of these is said beside it: <c>",
                "Within a question",
                "What is negated does not count",
            ],
        ),
        (
            {"place": {"first_s": 60, "last_percent": 10}},
            ["In the first 60 s and the last 10 % of the call"],
        ),
        (
            {"after": {"type": "objection", "subtype": "price", "by": "customer", "within_s": 30}},
            ["After objection (price) by the customer, within 30 s"],
        ),
        (
            {"before": {"rule": "other_rule", "by": "other"}},
            ["Before what the rule other_rule finds by another speaker"],
        ),
        ({"silence": {"before_at_least_s": 3}}, ["Nobody speaks for 3 s before it"]),
        (
            {"pace": {"over_words_per_minute": 180}},
            ["Spoken at over 180 words a minute, for 3 s at least"],
        ),
        ({"loudness": {"louder_by_db": 6}}, ["Louder by 6 dB than the speaker is as a rule"]),
        ({"sentiment": {"above": -1, "below": 2}}, ["Sentiment above -1 and below 2"]),
        ({"monologue": {}}, ["Within a monologue of more than 90 s"]),
        (
            {"interruption": {"by": "other"}},
            ["Its speaker is interrupted, with 0.3 s of both speaking"],
        ),
        (
            {"any": [{"phrases": ["a"]}, {"not": {"phrases": ["b"]}}]},
            [
                "Any of these:",
                "  One of these is said: <a>",
                "  Not:",
                "    One of these is said: <b>",
            ],
        ),
    ],
)
def test_a_condition_in_words(fields: dict[str, object], lines: list[str]) -> None:
    assert told(**fields) == lines


def test_of_many_phrases_the_first_are_told() -> None:
    (line,) = condition_lines(Condition(phrases=tuple(f"word{number}" for number in range(40))))
    assert line.phrases == tuple(f"word{number}" for number in range(6))
    assert line.more == 34


@pytest.mark.parametrize("signal", list(SignalCondition.model_fields))
def test_every_signal_is_told(signal: str) -> None:
    (line,) = condition_lines(SignalCondition.model_validate({signal: {}}))
    assert line.text


def test_the_built_in_playbook_is_told_whole() -> None:
    playbook = load_playbook("default", None)
    rules = rules_of(playbook)
    assert len({rule.id for rule in rules}) == len(rules)
    assert [rule.id for rule in rules[-2:]] == [rule.id for rule in playbook.timed_rules[-2:]]
    assert languages_beside(playbook) == ("de", "es", "fr", "hi", "pt")
    assert all(condition_lines(rule.condition) for rule in rules)
