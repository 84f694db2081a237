"""Texts of every script may be handed in; disguises may not."""

from __future__ import annotations

import pytest

from app.core.readable import is_readable


@pytest.mark.parametrize(
    "text",
    [
        "",
        "too expensive",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: "I want"
        "\u0915\u094d\u200d\u0937",
        "\U0001f469\u200d\U0001f680",
        "trop cher\u202f!",
        "12\u00a0000",
        "Verkaufs\u00adgespr\u00e4ch",
    ],
)
def test_words_of_all_scripts_are(text: str) -> None:
    assert is_readable(text)


@pytest.mark.parametrize(
    "sign", ["\x00", "\x1b", "\n", "\t", "\u202e", "\u2066", "\u2028", "\ufeff", "\ud800"]
)
def test_control_characters_and_what_turns_text_round_are_not(sign: str) -> None:
    assert not is_readable(f"a{sign}b")
