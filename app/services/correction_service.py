"""A reviewer's corrections of what segments say: judged anew, and stored with all that follows from them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from app.core.clock import utc_now
from app.core.exceptions import (
    Busy,
    CallNotReady,
    CallUnfinished,
    CorrectionNotFound,
    SegmentNotFound,
)
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import EditableResult, ResultRepository
from app.db.session import Database
from app.schemas.analysis import Analysis
from app.schemas.call import CallRecord
from app.schemas.correction import CorrectText, Edit, Judge
from app.schemas.guards import found_call, refuse_without_words
from app.schemas.transcript import Segment
from app.services.coachable_service import CoachableService
from app.services.edited_analysis import concluded, drafted
from app.services.playbook_library import PlaybookLibrary
from app.services.text_alignment import one_line
from app.services.text_edits import texts_of, with_text, without_text

_MOST_RACES = 20
Change = Callable[[EditableResult], Sequence[Edit]]
"""All corrections as they are to be, from those that there are."""


class CorrectionService:
    """Corrections are kept beside the analysis that they start from, which never changes.

    Thread-safe. No connection is held while words are judged: what somebody else corrected meanwhile is found
    when the result is stored, and then all is made again from that.
    """

    def __init__(self, database: Database, coachable: CoachableService, library: PlaybookLibrary) -> None:
        self._database = database
        self._coachable = coachable
        self._library = library

    def correct(self, call_id: str, segment: int, text: str, judge: Judge) -> None:
        """Let the segment with this index say ``text``; what it said at first takes the correction back.

        What its words, and the answer to it, are judged by is judged anew by ``judge``; metrics and moments
        follow, by the playbook of the result as it holds now. Raises CallNotFound, CallUnfinished while the
        call is in work, CallNotReady where it has no result, TextDeleted, SegmentNotFound, UnknownPlaybook
        where that playbook is there no more, Busy, and what ``judge`` raises; then nothing is changed.
        """

        def change(result: EditableResult) -> Sequence[Edit]:
            heard = _segment(result.original, segment)
            new = CorrectText(
                f"t_{secrets.token_hex(10)}",
                segment,
                one_line(text),
                heard.text,
                heard.start_s,
                heard.end_s,
                heard.words[0].channel,
                utc_now(),
            )
            said = _segment(result.current, segment).text
            return result.edits if new.text == one_line(said) else with_text(result.edits, new)

        self._change(call_id, change, judge)

    def withdraw(self, call_id: str, segment: int, judge: Judge) -> None:
        """Let the segment say again what was heard. Raises CorrectionNotFound, and as ``correct`` does."""

        def change(result: EditableResult) -> Sequence[Edit]:
            _segment(result.original, segment)
            made = next((edit for edit in texts_of(result.edits) if edit.segment == segment), None)
            if made is None:
                raise CorrectionNotFound(f"segment {segment} of call {call_id} was not corrected")
            return without_text(result.edits, made.id)

        self._change(call_id, change, judge)

    def drop(self, call_id: str, correction_id: str, judge: Judge) -> None:
        """Take back the correction with this id, also one that fits no segment any more. Raises as
        ``withdraw`` does."""

        def change(result: EditableResult) -> Sequence[Edit]:
            if correction_id not in [edit.id for edit in texts_of(result.edits)]:
                raise CorrectionNotFound(f"call {call_id} has no correction {correction_id}")
            return without_text(result.edits, correction_id)

        self._change(call_id, change, judge)

    def of_call(self, call_id: str) -> tuple[CorrectText, ...]:
        """All corrections of the text, in order of time. Raises CallNotFound."""
        with self._database.snapshot() as session:
            found_call(CallRepository(session).get(call_id), call_id)
            return texts_of(ResultRepository(session).edits(call_id))

    def _change(self, call_id: str, change: Change, judge: Judge) -> None:
        for _ in range(_MOST_RACES):
            with self._database.snapshot() as session:
                record = CallRepository(session).get(call_id)
                _check_editable(record, call_id)
                result = ResultRepository(session).editable(call_id)
            if result is None:
                raise CallNotReady(f"call {call_id} has no result")
            edits = tuple(change(result))
            if edits == result.edits:
                return
            analysis = self._corrected(call_id, result, edits, judge) if edits else None
            if self._store(call_id, result, edits, analysis):
                return
        raise Busy(f"call {call_id} is being corrected by many at once", retry_after_s=1)

    def _corrected(
        self, call_id: str, result: EditableResult, edits: tuple[Edit, ...], judge: Judge
    ) -> Analysis:
        playbook = self._library.current(result.current.playbook)
        draft = drafted(result.original, edits, result.current)
        return concluded(call_id, result.original, draft, judge(draft), playbook, self._coachable)

    def _store(
        self,
        call_id: str,
        result: EditableResult,
        edits: tuple[Edit, ...],
        analysis: Analysis | None,
    ) -> bool:
        """False, and nothing written, where the call was corrected or analysed meanwhile."""
        with self._database.session() as session:
            record, results = CallRepository(session).lock(call_id), ResultRepository(session)
            _check_editable(record, call_id)
            if not results.is_current(call_id, result):
                return False
            now = utc_now()
            results.replace_edited(call_id, result.id, edits, analysis, now, like=result.original)
            return True


def _check_editable(found: CallRecord | None, call_id: str) -> None:
    record = found_call(found, call_id)
    refuse_without_words(record)
    if not record.status.is_final:
        raise CallUnfinished(f"call {call_id} is {record.status}")
    if not record.status.is_complete:
        raise CallNotReady(f"call {call_id} is {record.status}")


def _segment(analysis: Analysis, index: int) -> Segment:
    found = next((part.segment for part in analysis.segments if part.segment.index == index), None)
    if found is None:
        raise SegmentNotFound(f"the result of the call has no segment {index}")
    return found
