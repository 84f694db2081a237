"""A transcript that somebody brings for a call: its analysis becomes the call's result."""

from __future__ import annotations

from app.core.clock import utc_now
from app.core.exceptions import CallUnfinished
from app.db.repositories.calls import CallRepository
from app.db.repositories.checkpoints import CheckpointRepository
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.analysis import Analysis
from app.schemas.call import CallRecord
from app.schemas.guards import found_call, refuse_without_words
from app.services.text_edits import out_of_place, texts_of


class TranscriptService:
    """Thread-safe; each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def awaiting(self, call_id: str) -> CallRecord:
        """The call, if a result can be given to it.

        Raises CallNotFound, CallUnfinished where it is in work, and TextDeleted.
        """
        with self._database.snapshot() as session:
            return _open(CallRepository(session).get(call_id), call_id)

    def attach(self, call_id: str, analysis: Analysis) -> None:
        """Make the analysis the next version of the call's result, and the call complete.

        Earlier versions stay. Corrections of the words that it takes the place of are kept, and fit no
        more. Raises as ``awaiting`` does.
        """
        now = utc_now()
        with self._database.session() as session:
            calls = CallRepository(session)
            _open(calls.lock(call_id), call_id)
            calls.complete(call_id, analysis, now)
            results = ResultRepository(session)
            texts = out_of_place(texts_of(results.edits(call_id)))
            results.add(call_id, analysis, now)
            if texts:
                results.add_edited(call_id, texts, analysis, now)
            CheckpointRepository(session).drop(call_id)


def _open(record: CallRecord | None, call_id: str) -> CallRecord:
    record = found_call(record, call_id)
    if not record.status.is_final:
        raise CallUnfinished(f"call {call_id} is {record.status}")
    refuse_without_words(record)
    return record
