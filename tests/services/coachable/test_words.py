"""Conditions of words beyond plain phrases: negation, any order, regular expressions; all in linear time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import product
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.exceptions import ConfigurationError
from app.services.coachable import regexes
from app.services.coachable.negation import built_in_negators, negation_phrases
from app.services.coachable.regexes import MAX_MATCHES, RegexError, Regexes, read_regex
from app.services.coachable.rules import RuleSet
from tests.services.coachable.factories import find_in_text, found, playbook, playbook_text, rule


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("it is expensive", False),
        ("it is not expensive", True),
        ("It isn't expensive.", True),
        ("it is not really all that expensive", True),
        ("it is not one two three four expensive", True),
        ("it is not one two three four five expensive", False),
        ("Is it? Not. Expensive it is.", False),
        ("not for us but expensive", False),
        ("not only expensive", False),
        ("hardly expensive", True),
        ("no doubt it is expensive", False),
        ("nobody finds it expensive", True),
        ("expensive it is not", False),
    ],
)
def test_negation_is_told_by_negators_with_a_reach(text: str, negated: bool) -> None:
    assert bool(found(text, phrases=["expensive"])) is True
    assert bool(found(text, phrases=["expensive"], negated="excluded")) is not negated
    assert bool(found(text, phrases=["expensive"], negated="required")) is negated
    assert bool(found(text, regex=["expens.ve"], negated="required")) is negated


def test_a_negator_within_what_was_found_is_the_phrases_own() -> None:
    assert found("we can not afford it", phrases=["not afford"], negated="excluded") == ["not afford"]
    assert found("it is not that we can not afford it", phrases=["not afford"], negated="excluded") == []


def test_each_place_is_negated_by_itself() -> None:
    text = "It is not expensive. It is expensive."
    assert found(text, phrases=["is expensive", "expensive"], negated="excluded") == ["is expensive"]
    assert found(text, phrases=["expensive"], negated="required", at_least=2) == []


@pytest.mark.parametrize(
    ("language", "phrase", "plain", "negated"),
    [
        ("es", "caro", "es muy caro", "no es muy caro"),
        ("es", "caro", "no solo es caro", "tampoco es caro"),
        ("fr", "cher", "c'est trop cher", "ce n'est pas trop cher"),
        ("fr", "plait", "il me plait", "il me plait pas"),
        ("de", "teuer", "das ist teuer", "das ist gar nicht so teuer"),
        ("de", "gefällt mir", "das gefällt mir", "das gefällt mir leider nicht"),
        ("pt", "caro", "é caro", "não é muito caro"),
    ],
)
def test_negators_of_other_languages(language: str, phrase: str, plain: str, negated: str) -> None:
    condition = {"phrases": [phrase], "negated": "required"}
    rules = RuleSet(playbook(rule(languages=[language], condition=condition)), language)
    assert find_in_text(rules, plain) == []
    assert len(find_in_text(rules, negated)) == 1


@pytest.mark.parametrize("language", sorted(built_in_negators()))
def test_the_built_in_lists_can_be_read(language: str) -> None:
    assert len(list(negation_phrases(built_in_negators()[language]))) > 5


def test_a_playbook_may_bring_negators_of_its_own() -> None:
    asking = rule(languages=["xx"], condition={"phrases": ["caru"], "negated": "excluded"})
    with pytest.raises(
        ConfigurationError, match=r"condition\.negated: there is no list of negators for 'xx'"
    ):
        playbook(asking)
    mine = playbook(
        asking, negators={"xx": {"negators": ["nun @"], "except": ["nun solo"], "stops": ["pero"]}}
    )
    rules = RuleSet(mine, "xx")
    assert [len(find_in_text(rules, text)) for text in ("ye caru", "nun caru", "nun ye caru")] == [1, 0, 1]
    english = rule(condition={"phrases": ["dear"], "negated": "excluded"})
    rules = RuleSet(playbook(english, negators={"en": {"negators": ["nay ... @"]}}), "en")
    assert [len(find_in_text(rules, text)) for text in ("not dear", "nay so dear")] == [1, 0]


@pytest.mark.parametrize(
    ("negators", "reason"),
    [
        ({"en": {"negators": ["not"]}}, r"negators\.en: 'not': write @ where"),
        ({"en": {"negators": ["(not @"]}}, r"negators\.en: '\(' is not closed"),
        ({"en": {"stops": ["but"]}}, r"negators\.en\.negators: Field required"),
        ({"en": {"negators": []}}, r"negators\.en\.negators: .*at least 1 item"),
        ({"english": {"negators": ["not @"]}}, r"negators\.english"),
    ],
)
def test_broken_negators_are_refused(negators: dict[str, object], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        playbook(negators=negators)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the price is really high", ["price is really high"]),
        ("that is a high price", ["high price"]),
        ("price price is high", ["price price is high"]),
        ("the price is one two three four high", []),
        ("price. high", []),
        ("the price is fine", []),
        ("high up, and then the price was high", ["price was high"]),
    ],
)
def test_any_order_within_so_many_words(text: str, words: list[str]) -> None:
    assert found(text, phrases=["price", "[too] high"], order="any", within_words=5) == words


@given(st.lists(st.sampled_from("abcx"), max_size=9))
@settings(deadline=None, max_examples=60)
def test_what_is_found_is_the_first_place_and_the_longest_there(words: list[str]) -> None:
    """Whether or not a condition asks for more than its phrases, which "zero" never alters."""
    text, phrases = " ".join(words), ["a", "a b", "b [c] a", "c ...2 a"]
    plain = found(text, phrases=phrases)

    assert plain == found(text, phrases=phrases, regex=["zero"], unless=["zero"])
    assert plain == found(text, phrases=phrases, negated="excluded")
    alone = [one for phrase in phrases for one in found(text, phrases=[phrase])]
    assert bool(plain) == bool(alone)
    assert not plain or plain[0] == max(alone, key=lambda one: (-text.find(one), len(one)))


def test_any_order_takes_every_phrase_and_the_other_conditions() -> None:
    three = {"phrases": ["a", "b", "c d"], "order": "any", "within_words": 6}
    assert found("c d x b a", **three) == ["c d x b a"]
    assert found("c x d b a", **three) == []
    assert found("a b c d. b a c d", **{**three, "at_least": 2}) == ["a b c d. b a c d"]
    assert found("we do not like a b c d", **{**three, "unless": ["not ... @"]}) == []
    assert found("we do not like a b c d", **{**three, "negated": "required"}) == ["a b c d"]
    assert found("is it a b c d?", **{**three, "only_questions": True}) == ["a b c d"]


@given(st.lists(st.sampled_from("abx"), max_size=9), st.integers(2, 6))
def test_any_order_agrees_with_trying_all_stretches(words: list[str], within: int) -> None:
    words = [f"{word}{place}" if word == "x" else word for place, word in enumerate(words)]
    told = [word for place, word in enumerate(words) if place == 0 or word != words[place - 1]]
    there = any(
        {"a", "b"} <= set(told[first : last + 1])
        for first, last in product(range(len(told)), repeat=2)
        if 0 <= last - first < within
    )
    assert bool(found(" ".join(told), phrases=["a", "b"], order="any", within_words=within)) is there


@pytest.mark.parametrize(
    ("regex", "text", "words"),
    [
        (r"\b\d{3}-\d{4}\b", "Call 555-1234, or 555 1234.", ["555-1234"]),
        ("EXPENS[a-z]+", "Too expensive!", ["expensive"]),
        ("(?-i)EXPENS[a-z]+", "Too expensive!", []),
        (r"\bum+\b", "So, umm, well", ["umm"]),
        (r"\p{L}+ÄRE", "die Militäre", ["Militäre"]),
        ("क्या", "यह क्या है", ["क्या"]),
        ("[!?]{2,}", "What?! Really??", ["?!"]),
        (r"^well", "Well well", ["Well"]),
        ("a", "", []),
        ("x", "…!", []),
        ("…", "…!", ["…"]),
    ],
)
def test_regular_expressions_see_the_text_as_it_is_written(regex: str, text: str, words: list[str]) -> None:
    assert found(text, regex=[regex]) == words


def test_regular_expressions_and_phrases_are_one_condition() -> None:
    both = {"phrases": ["pricey"], "regex": ["expens.ve"]}
    assert found("pricey and expensive", **both, at_least=2) == ["pricey and expensive"]
    assert found("expensive expensive", **both) == ["expensive"]
    assert found("um, um", regex=["um"], at_least=2) == ["um, um"]
    assert found("the expensive one", **both, unless=["expensive one"]) == []
    assert found("not so expensive", **both, unless=["not ... @"]) == []
    assert found("is it expensive", **both, only_questions=True) == ["expensive"]
    assert found("it is expensive", **both, only_questions=True) == []
    assert found("um", regex=["um"], only_questions=True, unless=["no"]) == []


@pytest.mark.parametrize(
    ("regex", "reason"),
    [
        ("(a", "missing )"),
        (r"(a)\1", "invalid escape sequence"),
        ("(?=a)", "invalid"),
        ("a{1001}", "invalid repetition size"),
        ("((a{100}){100}){100}", "invalid repetition size"),
        (r"(\pL{50}){10}", "too large"),
        ("a" * 501, "longer than 500 characters"),
        ("a*", "where there is nothing"),
        ("(|a)", "where there is nothing"),
        ("\ud800", "half a character"),
        ("*", "no argument for repetition"),
    ],
)
def test_a_hostile_pattern_is_refused_with_its_reason(regex: str, reason: str) -> None:
    with pytest.raises(RegexError, match=reason.replace(")", r"\)")):
        read_regex(regex)


def test_a_refused_pattern_names_its_line() -> None:
    text = playbook_text(rule(condition={"regex": ["fine", "(a"]}))
    line = next(number for number, content in enumerate(text.split("\n"), 1) if "- (a" in content)
    with pytest.raises(
        ConfigurationError, match=rf"mine\.yaml:{line}: rules\.0\.condition\.regex\.1: '\(a': "
    ):
        playbook(rule(condition={"regex": ["fine", "(a"]}))


def test_many_large_patterns_are_refused_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.coachable.checks.MAX_PROGRAMS", 100)
    many = [rule(id=f"r{n}", condition={"regex": [f"word{n}{n}{n}{n}"]}) for n in range(12)]
    with pytest.raises(ConfigurationError, match=r"regex in all are over 100 instructions"):
        playbook(*many)


def test_half_characters_in_a_text_break_nothing() -> None:
    assert Regexes(["b+"]).spans("a\ud800bb") == [(0, 2, 4)]


def test_patterns_too_many_for_one_pass_are_tried_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = [f"(a|b)*a(a|b){{{n}}}c" for n in range(10, 40)]
    text = "ab" * 40 + "c"
    together = Regexes(patterns).spans(text)
    monkeypatch.setattr(regexes, "_SET_MEMORY", 1 << 14)
    alone = Regexes(patterns)
    assert alone._together is None
    assert alone.spans(text) == together != []


HOSTILE = ["(a+)+b", "(a|a)*b", "(a|aa)+b", "a.*b|a", "(.*a){12}b", "(a?){20}a{20}b", "a*a*a*a*b"]


@given(st.sampled_from(HOSTILE), st.integers(1, 2_000))
@settings(deadline=None, max_examples=40)
def test_a_hostile_pattern_reads_a_text_a_bounded_number_of_times(regex: str, length: int) -> None:
    """Each search of RE2 is one pass over what is left of the text; this counts the passes."""
    pattern = Regexes([regex])
    spans = pattern.spans("a" * length)
    assert len(spans) <= MAX_MATCHES
    assert all(start < end <= length for _, start, end in spans)


def steps(work: Callable[[], object]) -> int:
    """Lines of Python that ``work`` runs."""
    count = 0

    def tell(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return tell

    before = sys.gettrace()
    sys.settrace(tell)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


EVERY_KIND = [
    rule(id="gaps", condition={"phrases": ["a ...8 a ...8 b", "a [a] [a] b"], "unless": ["b ...8 @"]}),
    rule(id="near", condition={"phrases": ["a", "a ...8 b", "b", "not"], "order": "any", "within_words": 50}),
    rule(id="negated", condition={"phrases": ["a", "b"], "negated": "required", "at_least": 10}),
    rule(id="asked", condition={"phrases": ["a"], "only_questions": True, "at_least": 10}),
    rule(id="regex", condition={"regex": HOSTILE, "negated": "excluded", "at_least": 10}),
    rule(id="absent", condition={"phrases": ["a"], "absent": ["zero zero"]}),
    rule(id="nested", condition={"all": [{"phrases": ["a"]}, {"not": {"any": [{"regex": ["c"]}]}}]}),
]  # fmt: skip


@given(
    st.lists(
        st.sampled_from(["a", "b", "not", "but", "is", "it", "what", "a.", "b?"]), min_size=1, max_size=6
    )
)
@settings(deadline=None, max_examples=25)
def test_hostile_text_takes_steps_in_proportion_to_its_length(words: list[str]) -> None:
    rules = RuleSet(playbook(*EVERY_KIND), "en")
    text = " ".join(words) + " "

    def taken(times: int) -> int:
        return steps(lambda: find_in_text(rules, text * times))

    taken(40)
    taken(240)
    short, long = taken(40), taken(240)
    assert long <= 6.5 * short
