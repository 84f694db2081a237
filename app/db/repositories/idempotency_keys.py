"""Keys that clients send with a request, so that sending it again does nothing twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.db.models import table_of
from app.db.repositories.call_changes import count
from app.db.work_models import IdempotencyKeyRow

_KEYS = table_of(IdempotencyKeyRow)
_INSERT_OR_IGNORE = {
    # Both wait for a transaction that is about to take the key.
    "sqlite": sqlite.insert(_KEYS).on_conflict_do_nothing().returning(_KEYS.c.key),
    "postgresql": postgresql.insert(_KEYS).on_conflict_do_nothing().returning(_KEYS.c.key),
}


@dataclass(frozen=True)
class KnownRequest:
    """What a key was first sent with: SHA-256 of the whole request, and the call that it made."""

    fingerprint: str
    call_id: str


class IdempotencyKeyRepository:
    """All SQL about keys of requests, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, key: str) -> KnownRequest | None:
        row = self._session.execute(select(_KEYS).where(_KEYS.c.key == key)).one_or_none()
        return None if row is None else KnownRequest(row.fingerprint, row.call_id)

    def add(self, key: str, request: KnownRequest, now: datetime) -> bool:
        """False, and nothing written, when the key is there already."""
        values = {
            "key": key,
            "fingerprint": request.fingerprint,
            "call_id": request.call_id,
            "created_at": now,
        }
        statement = _INSERT_OR_IGNORE[self._session.get_bind().dialect.name]
        return self._session.execute(statement, values).scalar_one_or_none() is not None

    def forget_before(self, moment: datetime) -> int:
        """Remove the keys of earlier requests; returns how many."""
        return count(self._session, delete(_KEYS).where(_KEYS.c.created_at < moment))
