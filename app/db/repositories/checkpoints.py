"""What was heard in unfinished calls, in and out of the database."""

from __future__ import annotations

from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.db.models import table_of
from app.db.work_models import CheckpointRow
from app.schemas.heard import Heard

_CHECKPOINTS = table_of(CheckpointRow)
_HEARD = TypeAdapter(Heard)


class CheckpointRepository:
    """One ``Heard`` a call; what comes back equals what went in."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, call_id: str) -> Heard | None:
        text = self._session.scalar(select(_CHECKPOINTS.c.heard).where(_CHECKPOINTS.c.call_id == call_id))
        return None if text is None else _HEARD.validate_json(text)

    def put(self, call_id: str, heard: Heard, now: datetime) -> None:
        """In place of what was heard before."""
        self.drop(call_id)
        text = _HEARD.dump_json(heard).decode()
        self._session.execute(insert(_CHECKPOINTS).values(call_id=call_id, heard=text, created_at=now))

    def drop(self, call_id: str) -> None:
        self._session.execute(delete(_CHECKPOINTS).where(_CHECKPOINTS.c.call_id == call_id))
