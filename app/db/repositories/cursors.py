"""Pages by keyset, newest first: a cursor is a place in the list, so that inserts move no page."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Row, Select, tuple_
from sqlalchemy.orm import Session

from app.core.exceptions import ValidationFailed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FOREIGN = "is not one that this service gave out"


def read_newest(
    session: Session,
    query: Select[Any],
    created_at: Column[datetime],
    key: Column[str],
    limit: int,
    cursor: str | None,
) -> tuple[Sequence[Row[Any]], str | None]:
    """One page of ``query``'s rows, which hold both columns, by (``created_at``, ``key``), and the cursor of
    the next page (None on the last). Raises ValidationFailed for a cursor that this service did not make."""
    if cursor is not None:
        query = query.where(tuple_(created_at, key) < decode_cursor(cursor))
    # One more than asked for tells whether there is another page.
    rows = session.execute(query.order_by(created_at.desc(), key.desc()).limit(limit + 1)).all()
    shown = rows[:limit]
    if len(rows) <= limit:
        return shown, None
    last = shown[-1]._mapping
    return shown, encode_cursor(last[created_at], last[key])


def encode_cursor(created_at: datetime, key: str) -> str:
    """The place just behind a row, as text that fits into a URL."""
    microseconds = (created_at - _EPOCH) // timedelta(microseconds=1)
    return urlsafe_b64encode(f"{microseconds}:{key}".encode()).decode("ascii").rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime, str]:
    """The inverse of ``encode_cursor``; raises ValidationFailed for anything that it did not make."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        microseconds, _, key = urlsafe_b64decode(padded).decode().partition(":")
        place = _EPOCH + timedelta(microseconds=int(microseconds)), key
    except (binascii.Error, ValueError, OverflowError):
        raise ValidationFailed.of("cursor", _FOREIGN) from None
    # The decoder skips what it does not know and a number has many spellings: only our own is taken.
    if encode_cursor(*place) != cursor:
        raise ValidationFailed.of("cursor", _FOREIGN)
    return place
