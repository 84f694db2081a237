"""Examples of rules: what somebody says, and short calls for what lies beyond the words."""

from __future__ import annotations

from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.coachable.loader import load_playbook
from app.services.playbook_examples import failed_examples
from tests.services.coachable.factories import playbook, rule


def failed(*rules: dict[str, object]) -> list[tuple[str, str, str]]:
    found = failed_examples(CompiledPlaybook(playbook(*rules)))
    return [(example.rule, example.part, example.text) for example in found]


def test_those_that_hold_and_those_that_do_not() -> None:
    assert failed(rule()) == []
    wrong = rule(match=["I want it.", "I need it."], no_match=["No.", "Well, I want it."])
    assert failed(wrong) == [
        ("wants_it", "match", "I need it."),
        ("wants_it", "no_match", "Well, I want it."),
    ]


def test_each_rule_is_tried_in_its_own_language_and_role() -> None:
    spanish = rule(
        id="lo_quiere", languages=["es"], condition={"phrases": ["lo quiero"]}, match=["Lo quiero."]
    )
    asks = rule(id="asks", role="agent", condition={"phrases": ["want it"]}, match=["You want it?"])
    anyone = rule(id="anyone", role="anyone", condition={"phrases": ["want it"]}, match=["We want it."])
    assert failed(rule(), spanish, asks, anyone) == []


def test_an_example_may_be_a_call() -> None:
    late = {"all": [{"phrases": ["i want it"]}, {"place": {"last_s": 10}}]}
    told = [
        {"role": "agent", "text": "Hello.", "start_s": 0, "end_s": 1},
        {"role": "customer", "text": "I want it.", "start_s": 70, "end_s": 72},
    ]
    early = [
        {"role": "customer", "text": "I want it."},
        {"role": "agent", "text": "Hello.", "start_s": 70, "end_s": 72},
    ]
    assert failed(rule(condition=late, match=[told], no_match=[early])) == []
    assert failed(rule(condition=late, match=[early], no_match=[told])) == [
        ("wants_it", "match", "customer: I want it. / agent: Hello."),
        ("wants_it", "no_match", "agent: Hello. / customer: I want it."),
    ]


def test_the_examples_of_the_built_in_playbook_hold_in_every_language() -> None:
    assert [
        str(example) for example in failed_examples(CompiledPlaybook(load_playbook("default", None)))
    ] == []
