"""Content negotiation by the Accept header."""

from __future__ import annotations

import pytest

from app.api.accept import preferred

OFFERS = {"json": "application/json", "txt": "text/plain", "vtt": "text/vtt"}


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "json"),
        ("", "json"),
        ("*/*", "json"),
        ("text/vtt", "vtt"),
        ("TEXT/VTT; q=0.5", "vtt"),
        ("text/*", "txt"),
        ("text/plain;q=0.2, text/vtt;q=0.9, */*;q=0.1", "vtt"),
        ("text/*;q=0.9, text/plain;q=0, */*;q=0.1", "vtt"),
        ("application/json;q=0.1, text/plain", "txt"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "json"),
        ("image/png", None),
        ("text/vtt;q=0", None),
        ("text/vtt;q=high", None),
    ],
)
def test_the_most_specific_range_tells_how_much_a_type_is_wanted(
    accept: str | None, chosen: str | None
) -> None:
    assert preferred(accept, OFFERS) == chosen
