"""The rules of a playbook as its page shows them, with how right they are."""

from __future__ import annotations

from collections.abc import Mapping

from app.schemas.rule_report import RulePrecision
from app.services.coachable.playbook import Playbook, TimedRule, WordsRule
from app.services.playbook_examples import words_of
from app.web.contexts.playbooks import Instead, Precision, RuleCard
from app.web.playbooks.condition_words import condition_lines

Precisions = Mapping[str, RulePrecision]


def rules_of(playbook: Playbook) -> tuple[WordsRule | TimedRule, ...]:
    """Those of all languages, each once; those found in time last."""
    in_words = {rule.id: rule for code in sorted(playbook.languages) for rule, _ in playbook.rules_in(code)}
    own = [rule.id for rule in playbook.words_rules]
    first = {rule_id: in_words[rule_id] for rule_id in own}
    return (*{**first, **in_words}.values(), *playbook.timed_rules)


def languages_beside(playbook: Playbook) -> tuple[str, ...]:
    """Languages with rules in files of their own."""
    own = {language for rule in playbook.words_rules for language in rule.languages}
    return tuple(sorted(playbook.languages - own))


def card_of(rule: WordsRule | TimedRule, over_all: Precisions, of_current: Precisions) -> RuleCard:
    in_words = rule if isinstance(rule, WordsRule) else None
    found = over_all.get(rule.id)
    return RuleCard(
        id=rule.id,
        kind=rule.type,
        subtype=in_words.subtype if in_words else None,
        role=rule.role,
        languages=in_words.languages if in_words else (),
        confidence=rule.confidence,
        why=rule.why,
        tip=rule.tip,
        condition=condition_lines(rule.condition),
        match=tuple(map(words_of, in_words.match)) if in_words else (),
        no_match=tuple(map(words_of, in_words.no_match)) if in_words else (),
        precision=precision_of(found),
        of_revision=precision_of(of_current.get(rule.id)),
        instead=tuple(Instead(label, count) for label, count in found.instead.items()) if found else (),
    )


def precision_of(found: RulePrecision | None) -> Precision | None:
    if found is None:
        return None
    return Precision(
        found.reviewed, found.right, found.wrong, found.other, found.precision, found.low, found.high
    )
