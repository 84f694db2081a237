"""How words are told apart and compared, what a query asks for, and what is shown of a match."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemas.search import Term, TextQuery, best_line, excerpt, lines_of, tokens_of, words_of

ANYTHING = st.text(max_size=60) | st.text(alphabet="aé \"'*:()-^你हिก“", max_size=30)


def _terms(text: str) -> list[tuple[str, bool]]:
    return [(" ".join(term.words), term.is_open) for term in TextQuery.of(text).terms]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Too expensive, isn't it?", " too expensive isn t it "),
        ("Größe — CAFÉ, naïve ½", " grosse cafe naive 12 "),
        ("l’agent: déjà-vu", " l agent deja vu "),
        ("Ё ВСЁ й", " е все и "),
        ("İstanbul ＡＢＣ", " istanbul abc "),
        ("你好，世界 ok", " 你 好 世 界 ok "),
        ("हिन्दी में।", " हिन्दी में "),
        ("שָׁלוֹם", " שלום "),
        ("e\u0301te\u0301", " ete "),
        ("?! … 👍", ""),
        ("snake_case a|b\nc\x00d", " snake case a b c d "),
    ],
)
def test_words_are_compared_without_case_and_accents(text: str, words: str) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("too expensive", [("too", False), ("expensive", True)]),
        ("too expensive ", [("too", False), ("expensive", False)]),
        ("expensive?", [("expensive", False)]),
        ('"too expensive"', [("too expensive", False)]),
        ("“too expensive” budget", [("too expensive", False), ("budget", True)]),
        ('say "too exp', [("say", False), ("too exp", True)]),
        ("don't", [("don t", True)]),
        ("价格", [("价 格", True)]),
        ("price price price ", [("price", False)]),
        ('" "', []),
        ("?!", []),
        ("", []),
        ("a AND NOT b* (c:d)", [("a", False), ("and", False), ("not", False), ("b", False), ("c d", False)]),
    ],
)  # fmt: skip
def test_a_query_is_words_and_phrases(text: str, terms: list[tuple[str, bool]]) -> None:
    assert _terms(text) == terms


@given(ANYTHING)
def test_any_text_can_be_searched_for_and_is_found_in_itself(text: str) -> None:
    query = TextQuery.of(text)
    lines = lines_of([text])
    assert all(word and not set(word) & set(" \"'\\\n") for term in query.terms for word in term.words)
    assert best_line(query, lines) == (0 if query.terms else None)
    shown, marks = excerpt(query, text)
    assert bool(marks) == bool(query.terms)
    assert all(0 <= start < end <= len(shown) for start, end in marks)


@given(ANYTHING)
def test_tokens_are_where_they_say(text: str) -> None:
    tokens = list(tokens_of(text))
    assert words_of(text).split() == [token.folded for token in tokens]
    ends = [0, *(token.end for token in tokens)]
    assert all(before <= token.start < token.end for before, token in zip(ends, tokens, strict=False))


def test_the_line_with_most_terms_is_shown() -> None:
    lines = lines_of(["the price", "", "a high price, too high", "price high"])
    assert best_line(TextQuery.of("high price"), lines) == 2
    assert best_line(TextQuery.of('"price high"'), lines) == 3
    assert best_line(TextQuery.of("the prices"), lines) == 0
    assert best_line(TextQuery.of("budget"), lines) is None


def test_a_phrase_stays_within_a_segment() -> None:
    assert Term(("price", "a")).needle not in lines_of(["the price", "a bit"])


def test_a_short_text_is_shown_whole() -> None:
    text = "That’s too EXPENSIVE, far too expensive."
    shown, marks = excerpt(TextQuery.of('"too expensive" far'), text)
    assert shown == text
    assert [text[start:end] for start, end in marks] == ["too EXPENSIVE", "far", "too expensive"]


@pytest.mark.parametrize("place", [0, 1, 20, 39])
def test_a_long_text_is_cut_at_words_around_the_first_match(place: int) -> None:
    words = [f"wörd{number:02}" for number in range(40)]
    words[place] = "Größe"
    text = " ".join(words) + "."
    shown, marks = excerpt(TextQuery.of("grosse"), text)
    assert [shown[start:end] for start, end in marks] == ["Größe"]
    assert len(shown) <= 202
    assert shown.strip("…") in text
    assert shown.startswith("…") == (place > 8)
    assert shown.endswith("…") == (place < 20)
    assert shown.strip("….").split()[0] in words
