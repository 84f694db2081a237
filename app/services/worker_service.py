"""Use cases around the processes that take calls: they sign in, show life, sign out; others ask for them."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.core.clock import utc_now
from app.db.repositories.workers import WorkerRepository
from app.db.session import Database
from app.schemas.call import ALL_QUEUES, Queue
from app.schemas.worker import WorkerRecord, WorkerState
from app.services.ownership import is_gone, is_here


class WorkerService:
    """The only place that writes who is at work. Each method is one transaction. Thread-safe."""

    def __init__(self, database: Database, owner: str, *, lease_s: float) -> None:
        self._database = database
        self._lease = timedelta(seconds=lease_s)
        self._owner = owner
        self._started_at = utc_now()

    def sign_in(self, queues: tuple[Queue, ...], state: WorkerState) -> None:
        """Begin, in the place of those of this machine that have ended."""
        with self._database.session() as session:
            workers = WorkerRepository(session)
            for worker in workers.all():
                if is_gone(worker.owner):
                    workers.remove(worker.owner)
            workers.put(self._record(queues, state, None))

    def show(self, queues: tuple[Queue, ...], state: WorkerState, claimed_at: datetime | None) -> None:
        """A sign of life; it also brings back one that was taken for lost."""
        with self._database.session() as session:
            WorkerRepository(session).put(self._record(queues, state, claimed_at))

    def sign_out(self) -> None:
        with self._database.session() as session:
            WorkerRepository(session).remove(self._owner)

    def forget_silent(self) -> int:
        """Remove those that showed no sign of life for longer than the lease; returns how many."""
        with self._database.session() as session:
            return WorkerRepository(session).forget_silent(utc_now() - self._lease)

    def at_work(self) -> dict[Queue, int]:
        """How many workers there are for each queue that can take a call."""
        able = [worker for worker in self._heard_of() if _is_able(worker)]
        return {queue: sum(queue in worker.queues for worker in able) for queue in ALL_QUEUES}

    def complaints(self) -> tuple[str, ...]:
        """What is wrong with the workers of this machine; nothing when one can take calls and none is deaf.

        One that ended because it was deaf counts until another has taken its place.
        """
        here = [worker for worker in self._heard_of() if is_here(worker.owner)]
        found = [f"worker {worker.owner} is deaf" for worker in here if worker.state is WorkerState.DEAF]
        if not any(_is_able(worker) for worker in here):
            found.append("no worker of this machine can take a call")
        return tuple(found)

    def _record(
        self, queues: tuple[Queue, ...], state: WorkerState, claimed_at: datetime | None
    ) -> WorkerRecord:
        return WorkerRecord(self._owner, queues, state, self._started_at, utc_now(), claimed_at)

    def _heard_of(self) -> tuple[WorkerRecord, ...]:
        with self._database.snapshot() as session:
            known = WorkerRepository(session).all()
        since = utc_now() - self._lease
        return tuple(worker for worker in known if worker.heartbeat_at >= since)


def _is_able(worker: WorkerRecord) -> bool:
    return worker.state is WorkerState.READY and not is_gone(worker.owner)
