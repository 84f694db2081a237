"""What is wrong with a playbook that its schema alone cannot see, each with its place in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from app.services.coachable.conditions import MAX_CONDITIONS, MAX_DEPTH, Condition
from app.services.coachable.dependencies import meant_by, waits_for
from app.services.coachable.negation import Negators, negation_phrases
from app.services.coachable.patterns import PhraseError
from app.services.coachable.phrases import Families, FamilyError, read_families, read_phrase
from app.services.coachable.playbook import LanguagePart, Playbook, TimedRule, WordsRule
from app.services.coachable.regexes import MAX_PROGRAMS, RegexError, program_size
from app.services.coachable.sequence import CycleError, in_order
from app.services.coachable.yaml_text import Loc

Problem = tuple[Loc, str]
_AnyRule = WordsRule | TimedRule


def playbook_problems(playbook: Playbook, name: str | None) -> list[Problem]:
    """Of the playbook's own file, which must be named ``name``, if that is given."""
    problems: list[Problem] = []
    if name is not None and playbook.name != name:
        problems.append((("name",), f"must be {name!r}, as the file is named"))
    for language, negators in playbook.negators.items():
        problems += _negator_problems(negators, ("negators", language))
    problems += _contents_problems(playbook, lambda: playbook.word_families, {})
    if problems:
        return problems
    numbered = list(enumerate(playbook.rules))
    for language in sorted({language for rule in playbook.words_rules for language in rule.languages}):
        in_language = [
            (number, rule)
            for number, rule in numbered
            if isinstance(rule, TimedRule) or language in rule.languages
        ]
        problems += _language_problems(in_language, language, playbook.negators_in(language))
    return list(dict.fromkeys(problems))


def part_problems(part: LanguagePart, language: str, playbook: Playbook) -> list[Problem]:
    """Of ``NAME.<language>.yaml`` beside ``playbook``."""
    problems: list[Problem] = [
        (("rules", number, "languages"), f"in this file, rules are for {language!r} alone")
        for number, rule in enumerate(part.rules)
        if rule.languages != (language,)
    ]
    if part.negators:
        problems += _negator_problems(part.negators, ("negators",))
    elsewhere = {rule.id: f"in the playbook {playbook.name!r}" for rule in playbook.rules}
    problems += _contents_problems(
        part, lambda: read_families(part.families, playbook.word_families), elsewhere
    )
    if problems:
        return problems
    beside = [rule for rule in playbook.words_rules if language in rule.languages]
    others: list[_AnyRule] = [*beside, *playbook.timed_rules]
    rules: list[tuple[int | None, _AnyRule]] = [(None, rule) for rule in others]
    negators = part.negators or playbook.own_negators_in(language)
    return list(_language_problems([*rules, *enumerate(part.rules)], language, negators))


def _contents_problems(
    book: Playbook | LanguagePart, read: Callable[[], Families], ids: dict[str, str]
) -> list[Problem]:
    """Of families, as they are ``read``, and rules, each by itself; ``ids``: rules that are there already,
    and where."""
    try:
        families = read()
    except FamilyError as error:
        return [(("families", error.family), str(error))]
    problems: list[Problem] = []
    sizes = 0
    for number, rule in enumerate(book.rules):
        if rule.id in ids:
            problems.append((("rules", number, "id"), f"there is another rule {rule.id!r} {ids[rule.id]}"))
        ids[rule.id] = "above"
        if isinstance(rule, WordsRule):
            problems += _condition_problems(rule.condition, families, ("rules", number, "condition"))
            sizes += _regex_size(rule.condition)
            if sizes > MAX_PROGRAMS:
                return [*problems, (("rules", number), f"regex in all are over {MAX_PROGRAMS} instructions")]
    return problems


def _located(condition: Condition, loc: Loc) -> Iterator[tuple[Loc, Condition, int]]:
    """``condition`` and all that it is made of, each with its place and how deep it lies."""
    waiting = [(loc, condition, 1)]
    while waiting:
        at, one, depth = waiting.pop(0)
        yield at, one, depth
        for name, parts in (("all", one.all), ("any", one.any)):
            waiting += [((*at, name, place), part, depth + 1) for place, part in enumerate(parts or ())]
        if one.not_ is not None:
            waiting.append(((*at, "not"), one.not_, depth + 1))


def _condition_problems(condition: Condition, families: Families, loc: Loc) -> Iterator[Problem]:
    for count, (at, one, depth) in enumerate(_located(condition, loc), 1):
        if depth > MAX_DEPTH:
            yield at, f"conditions lie more than {MAX_DEPTH} deep in one another"
            return
        if count > MAX_CONDITIONS:
            yield at, f"more than {MAX_CONDITIONS} conditions in one rule"
            return
        for part in ("phrases", "unless", "absent"):
            for place, text in enumerate(getattr(one, part)):
                try:
                    read_phrase(text, families, exclusion=part == "unless")
                except PhraseError as error:
                    yield (*at, part, place), f"{text!r}: {error}"
        for place, text in enumerate(one.regex):
            try:
                program_size(text)
            except RegexError as error:
                yield (*at, "regex", place), f"{text!r}: {error}"


def _regex_size(condition: Condition) -> int:
    size = 0
    for one in condition.walk():
        for text in one.regex:
            try:
                size += program_size(text)
            except RegexError:
                continue  # told where it stands
    return size


def _negator_problems(negators: Negators, loc: Loc) -> Iterator[Problem]:
    try:
        list(negation_phrases(negators))
    except PhraseError as error:
        yield loc, str(error)


def _language_problems(
    numbered: Sequence[tuple[int | None, _AnyRule]], language: str, negators: Negators | None
) -> Iterator[Problem]:
    """Of the rules of one language together; those with a number are in this file, at that place."""
    rules = [rule for _, rule in numbered]
    for place, (number, rule) in enumerate(numbered):
        if number is None or not isinstance(rule, WordsRule):
            continue
        for at, one, _ in _located(rule.condition, ("rules", number, "condition")):
            if one.negated != "either" and negators is None:
                yield (*at, "negated"), f"there is no list of negators for {language!r}: give `negators`"
            for name, reference in (("after", one.after), ("before", one.before)):
                if reference is not None and not meant_by(reference, place, rules):
                    wanted = reference.rule or "/".join(filter(None, (reference.type, reference.subtype)))
                    yield (*at, name), f"there is no other rule {wanted!r} for {language!r}"
    try:
        in_order(waits_for(rules), len(rules))
    except CycleError as error:
        here = next(number for place in error.rules if (number := numbered[place][0]) is not None)
        path = " -> ".join(rules[place].id for place in error.rules)
        yield ("rules", here, "condition"), f"rules wait for one another: {path}"
