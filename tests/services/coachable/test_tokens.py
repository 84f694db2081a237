"""Normalised words: what they become, where they came from, where sentences end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.coachable import tokens as module
from app.services.coachable.tokens import is_number, spell_out, tokenise


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I'm NOT sure", "i am not sure"),
        ("I’m, we‘re and they`re", "i am we are and they are"),
        ("Can't, won't, cannot, dont", "can not will not can not do not"),
        ("that's Maria's plan", "that is maria plan"),
        ("e-mail sign-off", "e mail sign off"),
        ("20% off $1,500.50", "20 percent off dollars 1,500.50"),
        ("at 10am", "at 10 am"),
        ("Um, I, I uh think the the one", "i think the one"),
        ("four four one", "four four one"),
        ("ＦＵＬＬ Straße", "full strasse"),
        ("we're gonna, y'all", "we are going to you all"),
        ("wouldn't've", "would not have"),
        ("C'est qu'on n'a rien, aujourd'hui", "c est qu on n a rien aujourdhui"),
        ("¿Está más lejos? NÃO, señor, ça va à peu près", "esta mas lejos nao senor ca va a peu pres"),
        ("hätte hatte", "hätte hatte"),
        ("मुझे ज़रूरत नहीं, हाँ", "मुझे जरूरत नहीं हां"),
        ("", ""),
        ("… — !?", ""),
    ],
)
def test_words_are_normalised(text: str, words: str) -> None:
    assert " ".join(tokenise(text).words) == words


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Yes. I agree! Do you? no", [("yes", "."), ("i agree", "!"), ("do you", "?"), ("no", "")]),
        ("it costs 1.50 at example.com", [("it costs 1.50 at example com", "")]),
        ("Dr. Lee comes at 3 p.m. today.", [("dr lee comes at 3 p m today", ".")]),
        ("Well... I guess.", [("well i guess", ".")]),
        ("नहीं चाहिए। क्या?", [("नहीं चाहिए", "।"), ("क्या", "?")]),
        ("no marks at all", [("no marks at all", "")]),
        ("He said \"no.\" Then left.", [("he said no", "."), ("then left", ".")]),
    ],
)  # fmt: skip
def test_sentences_end_at_their_marks(text: str, sentences: list[tuple[str, str]]) -> None:
    tokens = tokenise(text)
    assert [
        (" ".join(tokens.words[s.first : s.last + 1]), s.end) for s in tokens.sentences
    ] == sentences  # fmt: skip


@given(st.text(max_size=200))
def test_every_token_comes_from_its_characters(text: str) -> None:
    tokens = tokenise(text)
    spans = [tokens.span(place, place) for place in range(len(tokens.words))]
    assert spans == sorted(spans)
    assert all(0 <= start < end <= len(text) and not text[start:end].isspace() for start, end in spans)
    covered = [place for s in tokens.sentences for place in range(s.first, s.last + 1)]
    assert covered == list(range(len(tokens.words)))
    for place in covered:
        sentence = tokens.sentence_at(place)
        assert sentence.first <= place <= sentence.last


PIECES = (
    "I", "I'm", "the", "no", "four", "um", "uh-huh", "Dr", "10", "$", " ", " ", ". ", ".", "? ", "; ", "…",
    "'", "é", "नहीं", "।",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_lists_made_as_wholes_are_those_made_word_by_word(text: str) -> None:
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    sentences: list[tuple[int, int, str]] = []
    first, reach = 0, 0
    for chunk in module._CHUNK.finditer(text):
        start, end = chunk.span()
        if words and (mark := module._closing_mark(text[reach : start + 1], words[-1])):
            if len(words) > first:
                sentences.append((first, len(words) - 1, mark))
            first = len(words)
        reach = end
        for word in spell_out(chunk.group()):
            if len(words) == first or word != words[-1] or is_number(word):
                words.append(word)
                spans.append((start, end))
    if len(words) > first:
        sentences.append((first, len(words) - 1, module._closing_mark(text[reach:], words[-1])))

    tokens = tokenise(text)

    assert list(tokens.words) == words
    assert [tokens.span(place, place) for place in range(len(words))] == spans
    assert [tuple(sentence) for sentence in tokens.sentences] == sentences


def test_a_chain_of_apostrophes_does_not_recurse() -> None:
    assert len(tokenise("a" + "'m" * 50_000).words) >= 1
