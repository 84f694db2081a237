"""The rebuilt tokenizer gives the ids that openai-whisper's own gives."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.stt.whisper_dialect import no_warnings
from app.services.stt.whisper_tokenizer import build_tokenizer, vocabulary

KINDS = [("gpt2", 99), ("multilingual", 99), ("multilingual", 100)]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=["english", "multilingual", "large-v3"])
SAID = (
    "Hello, world! it's   a \n\n test 12345 don't",
    "Grüße aus München ♪♪ 日本語テスト 한국어 😀👩‍👩‍👧",
    "\x00\x01 \t tabs  ",
    " -",
    " '",
    "ﷺ e\u0301",
    "",
)


@cache
def both(kind: tuple[str, int]) -> tuple[Any, Any]:
    from whisper.tokenizer import get_encoding

    with no_warnings():
        encoding = get_encoding(*kind)
    return encoding, build_tokenizer(encoding)


@EVERY_KIND
@pytest.mark.parametrize("text", SAID)
def test_known_text_has_the_same_ids(kind: tuple[str, int], text: str) -> None:
    encoding, tokenizer = both(kind)
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert ids == encoding.encode(text)
    assert tokenizer.decode(ids) == text


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_has_the_same_ids(text: str) -> None:
    if "<|" in text:
        return
    encoding, tokenizer = both(KINDS[1])
    assert tokenizer.encode(text, add_special_tokens=False).ids == encoding.encode(text)


@EVERY_KIND
def test_special_tokens_have_their_ids_and_times_are_left_to_counting(kind: tuple[str, int]) -> None:
    encoding, tokenizer = both(kind)
    for name in encoding.special_tokens_set:
        is_time = name[2:-2].replace(".", "").isdigit()
        expected = None if is_time else encoding.encode_single_token(name)
        assert tokenizer.token_to_id(name) == expected
    assert tokenizer.token_to_id("<|notimestamps|>") + 1 == encoding.encode_single_token("<|0.00|>")


@EVERY_KIND
def test_the_vocabulary_names_every_id_once(kind: tuple[str, int]) -> None:
    encoding, tokenizer = both(kind)
    names = vocabulary(encoding)
    assert len(names) == len(set(names)) == encoding.n_vocab
    assert names[encoding.eot_token] == "<|endoftext|>"
    assert names[-1] == "<|30.00|>"
    assert names[encoding.encode(" the")[0]] == "Ġthe"
    assert all(tokenizer.id_to_token(index) == names[index] for index in range(0, encoding.eot_token, 997))
