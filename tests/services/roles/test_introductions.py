"""Who introduces themself by a name."""

from __future__ import annotations

import pytest

from app.services.roles.introductions import introduced


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hi, my name is Tom.", "Tom Smith"),
        ("hello this is tom smith from acme", "Tom Smith"),
        ("Good morning, Acme, Tom speaking.", "tom"),
        ("Tom Smith here", "Tom Smith"),
        ("Hola, soy Jorge", "Jorge"),
        ("hier ist Jürgen", "Jürgen"),
        ("je m'appelle Zoé", "zoe"),
        ("मेरा नाम पूजा है", "पूजा"),
    ],
)
def test_introductions(text: str, name: str) -> None:
    assert introduced(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hi Tom, how are you?", "Tom"),
        ("I spoke to Tom yesterday", "Tom"),
        ("this is Tomas", "Tom"),
        ("my name is Ann", ""),
        ("my name is A", "A"),
    ],
)
def test_no_introductions(text: str, name: str) -> None:
    assert not introduced(text, name)
