"""Which of several media types a client would rather have (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def preferred(accept: str | None, offered: Mapping[T, str]) -> T | None:
    """The offer that ``accept`` ranks highest, the first of equals; None where it takes none of them."""
    ranges = [_range(part) for part in (accept or "*/*").split(",") if part.strip()]
    best: T | None = None
    best_quality = 0.0
    for offer, media_type in offered.items():
        # The most specific range that fits is the one that counts.
        fitting = max((fit for fit in ranges if _fits(fit[0], media_type)), key=_precision, default=("", 0.0))
        if fitting[1] > best_quality:
            best, best_quality = offer, fitting[1]
    return best


def _range(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return media_range, min(max(float(quality), 0.0), 1.0)
    except ValueError:
        return media_range, 0.0


def _fits(media_range: str, media_type: str) -> bool:
    if media_range == "*/*":
        return True
    kind, _, subtype = media_range.partition("/")
    return media_range == media_type or (subtype == "*" and media_type.startswith(f"{kind}/"))


def _precision(fit: tuple[str, float]) -> int:
    return 2 - fit[0].count("*")
