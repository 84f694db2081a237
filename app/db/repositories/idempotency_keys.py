"""Keys that clients send with a request, so that sending it again does nothing twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db.models import table_of
from app.db.repositories.statements import insert_new, touched
from app.db.work_models import IdempotencyKeyRow

_KEYS = table_of(IdempotencyKeyRow)


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
        return insert_new(self._session, _KEYS, values)

    def forget_before(self, moment: datetime) -> int:
        """Remove the keys of earlier requests; returns how many."""
        return touched(self._session, delete(_KEYS).where(_KEYS.c.created_at < moment))
