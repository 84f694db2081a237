"""Who is at work: one row a process."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from app.db.models import table_of
from app.db.repositories.statements import touched
from app.db.work_models import WorkerRow
from app.schemas.call import Queue
from app.schemas.worker import WorkerRecord, WorkerState

_WORKERS = table_of(WorkerRow)


class WorkerRepository:
    """All SQL about the processes that take calls, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, worker: WorkerRecord) -> None:
        """Note what a worker says of itself, whether or not it is known."""
        values = {
            "queues": list(worker.queues),
            "state": worker.state,
            "heartbeat_at": worker.heartbeat_at,
            "claimed_at": worker.claimed_at,
        }
        known = update(_WORKERS).where(_WORKERS.c.owner == worker.owner).values(values)
        if not touched(self._session, known):
            new = {**values, "owner": worker.owner, "started_at": worker.started_at}
            self._session.execute(insert(_WORKERS).values(new))

    def all(self) -> tuple[WorkerRecord, ...]:
        """Every worker that is known, the one that began first first."""
        rows = self._session.execute(select(_WORKERS).order_by(_WORKERS.c.started_at, _WORKERS.c.owner))
        return tuple(_record(row) for row in rows)

    def remove(self, owner: str) -> None:
        self._session.execute(delete(_WORKERS).where(_WORKERS.c.owner == owner))

    def forget_silent(self, since: datetime) -> int:
        """Remove those without a sign of life since then, but for those who are writing one at the moment;
        returns how many."""
        silent = select(_WORKERS.c.owner).where(_WORKERS.c.heartbeat_at < since)
        free = silent.with_for_update(skip_locked=True)
        return touched(self._session, delete(_WORKERS).where(_WORKERS.c.owner.in_(free)))


def _record(row: Row[Any]) -> WorkerRecord:
    return WorkerRecord(
        owner=row.owner,
        queues=tuple(Queue(name) for name in row.queues),
        state=WorkerState(row.state),
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
        claimed_at=row.claimed_at,
    )
