"""Codes, prompt and words that both Whisper engines use."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.services.stt.whisper_dialect import (
    LANGUAGES,
    PROMPT_TOKENS,
    filled,
    iso_code,
    prompt_of,
    whisper_code,
)


def test_codes_there_and_back() -> None:
    assert whisper_code("jv") == "jw" and iso_code("jw") == "jv"
    assert all(iso_code(whisper_code(code)) == code for code in LANGUAGES)


def test_short_samples_are_filled_with_silence() -> None:
    short = np.ones(5, dtype=np.float32)
    assert filled(short).tolist() == [1.0] * 5 + [0.0] * 15_995
    whole = np.ones(16_000, dtype=np.float32)
    assert filled(whole) is whole


def test_no_names_no_prompt() -> None:
    assert prompt_of((), len) is None
    assert prompt_of((" ", "<|"), len) is None


def test_names_are_joined_as_text() -> None:
    assert prompt_of(("Darwix", "Acme  One\n", "Globex"), len) == "Darwix, Acme One, Globex"


def test_no_control_token_gets_in() -> None:
    prompt = prompt_of(("<|endoftext|>", "<<||nospeech|>"), len)
    assert prompt is not None and "<|" not in prompt


def test_a_name_that_no_longer_fits_is_left_out() -> None:
    assert prompt_of(("Darwix", "x" * 300, "Acme"), len) == "Darwix, Acme"


@given(st.lists(st.text(max_size=60), max_size=30))
def test_any_names_fit(names: list[str]) -> None:
    prompt = prompt_of(names, len)
    assert prompt is None or (len(f" {prompt}") <= PROMPT_TOKENS and "<|" not in prompt)
