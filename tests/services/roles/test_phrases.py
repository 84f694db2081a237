"""The phrase language: what matches what, what cannot be read, and that matching is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.roles.phrases import PhraseError, ends_of, openers, read_phrase, words_of


def ends(phrase: str, text: str, start: int = 0) -> set[int]:
    return ends_of(read_phrase(phrase, {}), words_of(text), start)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I'm calling", "i am calling"),
        ("I’ve, um, got to… go!", "i have got to go"),
        ("what's up", "what is up"),
        ("Tom's car won't", "tom car will not"),
        ("dont", "do not"),
        ("¿En qué puedo ayudarle?", "en que puedo ayudarle"),
        ("Puis-je vous aider, j'appelle", "puis je vous aider j appelle"),
        ("Zählerstand, bitte", "zahlerstand bitte"),
        ("मेरा इंटरनेट बंद है।", "मेरा इंटरनेट बंद है"),
        ("— … !", ""),
    ],
)
def test_words_are_compared_in_their_plain_form(text: str, words: str) -> None:
    assert " ".join(words_of(text)) == words


def test_alternatives_options_gaps_prefixes_and_numbers() -> None:
    assert ends("thank you for (calling|holding on)", "Thank you for holding on") == {5}
    assert ends("thank you for (calling|holding on)", "Thank you for holding") == set()
    assert ends("i am [just] calling", "I'm calling") == {3}
    assert ends("i am [just] calling", "I'm just calling") == {4}
    assert ends("this is ... from", "this is from") == {3}
    assert ends("this is ... from", "this is mary ann lee from") == {6}
    assert ends("this is ... from", "this is mary ann lee smith from") == set()
    assert ends("this is ...1 from", "this is mary ann from") == set()
    assert ends("my apologi*", "my apologies") == {2}
    assert ends("about {number} {number}", "about twenty 5") == {3}


def test_an_optional_end_gives_every_place_it_may_end_at() -> None:
    assert ends("how are you [doing|today]", "how are you today") == {3, 4}


def test_families_stand_for_their_phrases() -> None:
    families = {"day": read_phrase("(monday|the day after)", {})}
    assert ends_of(read_phrase("on {day}", families), words_of("on the day after"), 0) == {4}


@pytest.mark.parametrize(
    "phrase", ["", "um", "(a|b", "a)", "a ]", "(a|)", "(a]", "{nobody}", "[maybe] yes", "... yes", "{x"]
)
def test_what_cannot_be_read_is_told(phrase: str) -> None:
    with pytest.raises(PhraseError):
        read_phrase(phrase, {})


def test_openers_are_the_words_that_a_phrase_may_begin_with() -> None:
    assert openers(read_phrase("(could you|can) say", {})) == {"could", "can"}
    assert openers(read_phrase("{number} months", {})) is None


WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "1"]), max_size=12)


@given(WORDS)
def test_a_match_lies_within_the_words_and_begins_with_an_opener(words: list[str]) -> None:
    pattern = read_phrase("(a|b c) [b] ...2 (c|{number})", {})
    for start in range(len(words)):
        reached = ends_of(pattern, words, start)
        assert all(start < end <= len(words) for end in reached)
        assert not reached or words[start] in (openers(pattern) or words)


@given(st.text(max_size=60))
def test_words_of_any_text_are_not_empty_and_spaces_do_not_matter(text: str) -> None:
    words = words_of(text)
    assert all(word and not any(sign.isspace() for sign in word) for word in words)
    assert words_of(f"  {text}\n") == words
