"""Which rules wait for what other rules find."""

from __future__ import annotations

from collections.abc import Sequence

from app.services.coachable.playbook import TimedRule, WordsRule
from app.services.coachable.sequence import Reference


def meant_by(reference: Reference, asking: int, rules: Sequence[WordsRule | TimedRule]) -> list[int]:
    """The places in ``rules`` of those that ``reference``, in the rule at ``asking``, speaks of.

    By a type, a rule never means itself; by its own id it does, which is a cycle.
    """
    return [
        place
        for place, rule in enumerate(rules)
        if reference.means(rule.id, rule.type, getattr(rule, "subtype", None))
        and (place != asking or reference.rule is not None)
    ]


def waits_for(rules: Sequence[WordsRule | TimedRule]) -> dict[int, list[int]]:
    """For each rule that speaks of others, by its place, the places of all of them."""
    waiting: dict[int, list[int]] = {}
    for place, rule in enumerate(rules):
        if isinstance(rule, WordsRule):
            references = [one for condition in rule.condition.walk() for one in condition.references]
            if references:
                waiting[place] = [meant for one in references for meant in meant_by(one, place, rules)]
    return waiting
