"""Stored calls analysed again from their words: by another playbook, with the engines of today."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.core.clock import utc_now
from app.core.exceptions import CallNotReady, CallUnfinished
from app.db.repositories.calls import CallRepository
from app.db.repositories.checkpoints import CheckpointRepository
from app.db.repositories.claims import ClaimRepository
from app.db.repositories.reanalyses import Place, read_due
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.call import CallRecord, Queue
from app.schemas.guards import found_call, refuse_without_words
from app.services.playbook_library import PlaybookLibrary
from app.services.room import Room
from app.services.told_again import heard_again


class ReanalysisService:
    """Thread-safe. What is queued here is work like any other: nobody needs the recording for it."""

    def __init__(self, database: Database, library: PlaybookLibrary, room: Room) -> None:
        self._database = database
        self._library = library
        self._room = room

    def check_playbook(self, playbook: str | None, revision: str | None = None) -> None:
        """Raises UnknownPlaybook or PlaybookInvalid for one that calls cannot be analysed by.

        Without a ``playbook`` each call goes by the one that it asks for, as it holds then.
        """
        if revision is not None:
            self._library.revision(playbook or self._library.default, revision)
        else:
            self._library.check(playbook)

    def queue(
        self,
        call_id: str,
        playbook: str | None = None,
        revision: str | None = None,
        *,
        queue: Queue = Queue.ANALYZE,
    ) -> CallRecord:
        """Let the later stages be done again, on the words, speakers and roles that the call has now.
        A reviewer's corrections are made again on what comes of it.

        Its result stays until there is a new one. Raises CallNotFound, CallUnfinished where it is in work,
        CallNotReady where it has no result, TextDeleted, Busy, and what ``check_playbook`` raises.
        """
        self.check_playbook(playbook, revision)
        if revision is not None:
            playbook = playbook or self._library.default
        with self._database.session() as session:
            calls = CallRepository(session)
            record = found_call(calls.lock(call_id), call_id)
            if not record.status.is_final:
                raise CallUnfinished(f"call {call_id} is {record.status}")
            refuse_without_words(record)
            result = ResultRepository(session).editable(call_id)
            if result is None:
                raise CallNotReady(f"call {call_id} is {record.status}")
            self._room.check(ClaimRepository(session), queue)
            now = utc_now()
            CheckpointRepository(session).put(call_id, heard_again(result.original, playbook, revision), now)
            calls.rerun(call_id, queue, now)
            return calls.get(call_id) or record

    def due(self, since: datetime, until: datetime, after: Place | None, limit: int) -> tuple[Place, ...]:
        """Calls that came in within this time and can be analysed again, oldest first."""
        with self._database.snapshot() as session:
            return read_due(session, since, until, after, limit)

    def waiting(self) -> int:
        """How many calls wait behind all others."""
        with self._database.snapshot() as session:
            return ClaimRepository(session).unfinished((Queue.BULK,), waiting_only=True)

    def records(self, call_ids: Sequence[str]) -> dict[str, CallRecord]:
        """Those of the calls that are there."""
        with self._database.snapshot() as session:
            return {record.call_id: record for record in CallRepository(session).get_many(call_ids)}
