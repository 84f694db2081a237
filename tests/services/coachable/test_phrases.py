"""The phrase language: what each sign finds, and what cannot be written."""

from __future__ import annotations

from itertools import pairwise

import pytest

from app.services.coachable.patterns import PhraseError, single
from app.services.coachable.phrases import BUILT_IN, FamilyError, read_families, read_phrase
from tests.services.coachable.factories import found, playbook, rule


@pytest.mark.parametrize(
    ("phrase", "text", "words"),
    [
        ("too expensive", "It's TOO, expensive!", ["TOO, expensive"]),
        ("i am sure", "I’m sure", ["I’m sure"]),
        ("i'm sure", "I am sure", ["I am sure"]),
        ("too (expensive|much (money|work))", "too much work", ["too much work"]),
        ("too (expensive|much (money|work))", "too much", []),
        ("[really] like [it]", "I really like it", ["really like it"]),
        ("[really] like [it]", "I like her", ["like"]),
        ("not ... ready", "not at all quite ready", ["not at all quite ready"]),
        ("not ... ready", "not one two three four ready", []),
        ("not ...5 ready", "not one two three four ready", ["not one two three four ready"]),
        ("not ... ready", "not ready", ["not ready"]),
        ("not ... ready", "Not now. Ready when you are.", []),
        ("expens*", "the expenses are expensive", ["expenses"]),
        ("save {number} percent", "save twenty five percent", ["save twenty five percent"]),
        ("save {number} percent", "Save 25%", ["Save 25%"]),
        ("sign-off", "your sign off", ["sign off"]),
        ("^sorry$", "Sorry? I am sorry.", ["Sorry"]),
        ("^sorry$", "I am sorry.", []),
        ("sorry$", "I am sorry.", ["sorry"]),
        ("très cher", "C'est TRÈS cher", ["TRÈS cher"]),
    ],
)
def test_phrases_find(phrase: str, text: str, words: list[str]) -> None:
    assert found(text, phrases=[phrase]) == words


def test_families_may_use_those_before_them() -> None:
    families = {"price": ["(price|cost)"], "high": ["{price} is [too] high"]}
    assert playbook(rule(condition={"phrases": ["the {high}"]}), families=families).families.keys() == {
        "price",
        "high",
    }


@pytest.mark.parametrize(
    ("phrase", "reason"),
    [
        ("too (expensive", "not closed"),
        ("too expensive)", "closes nothing"),
        ("too (|much)", "empty"),
        ("()", "empty"),
        ("[really]", "no word that must be there"),
        ("... ready", "words on both sides"),
        ("not ready ...", "words on both sides"),
        ("not ...9 ready", "1 to 8"),
        ("not ...0 ready", "1 to 8"),
        ("{cancel} it", "no family 'cancel'"),
        ("ab* it", "at least 3 letters"),
        ("um yes", "fillers"),
        ("what?", "'?' has no meaning"),
        (".* (a+)+$", "has no meaning"),
        ("not @", "only for `unless`"),
        ("(" * 20 + "a" + ")" * 20, "deep"),
        ("a " * 600, "longer than"),
        ("a " * 61, "longer than 60 words"),
    ],
)  # fmt: skip
def test_phrases_that_cannot_be_used_say_why(phrase: str, reason: str) -> None:
    with pytest.raises(PhraseError, match=reason.replace("?", r"\?")):
        read_phrase(phrase, BUILT_IN, exclusion=False)


def test_families_that_multiply_are_stopped() -> None:
    doubling = {name: [f"({{{before}}}|x {{{before}}})"] for before, name in pairwise("abcdefghijklmnop")}
    with pytest.raises(FamilyError, match="more than 5000 words") as caught:
        read_families({"a": ["(a b|c d)"], **doubling})
    assert caught.value.family in doubling


def test_single_words_of_a_choice_are_one_leaf() -> None:
    pattern = read_phrase("(a|b|c|d e)", BUILT_IN, exclusion=False).pattern
    assert pattern.size == 3
    assert single(read_phrase("(a|b|c)", BUILT_IN, exclusion=False).pattern.atom).size == 1  # type: ignore[arg-type]
