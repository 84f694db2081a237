"""A reviewer's corrections of who spoke: stored with all that follows from them, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.clock import utc_now
from app.core.exceptions import CallNotReady
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import EditableResult, ResultRepository
from app.db.session import Database
from app.schemas.analysis import Analysis
from app.schemas.correction import Edit
from app.schemas.guards import found_call, refuse_without_words
from app.schemas.speaker import Speaker, SpeakerEdit
from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.coachable_service import CoachableService
from app.services.edited_analysis import concluded, drafted, left_as_judged
from app.services.playbook_library import PlaybookLibrary
from app.services.speaker_edits import apply_edits, with_edits
from app.services.text_edits import joined, speaker_edits_of, texts_of


class SpeakerService:
    """Thread-safe. Corrections are kept beside the analysis that they start from, which never changes."""

    def __init__(self, database: Database, coachable: CoachableService, library: PlaybookLibrary) -> None:
        self._database = database
        self._coachable = coachable
        self._library = library

    def edit(self, call_id: str, edits: Sequence[SpeakerEdit]) -> None:
        """Correct the speakers; roles, metrics and moments follow, nothing is transcribed again.

        Moments are found by the playbook of the result, as it holds now. Corrections that cancel out leave
        the analysis as it was. Raises CallNotFound, CallNotReady, TextDeleted, UnknownPlaybook where that
        playbook is there no more, or ValidationFailed for a speaker that there is not.
        """
        playbook = self._playbook_of(call_id)
        with self._database.session() as session:
            record = found_call(CallRepository(session).lock(call_id), call_id)
            refuse_without_words(record)
            results = ResultRepository(session)
            result = results.editable(call_id)
            if not record.status.is_complete or result is None:
                raise CallNotReady(f"call {call_id} is {record.status}")
            # Also what cancels out must name speakers that there are.
            apply_edits((), _after(result), edits)
            by_speaker = with_edits(speaker_edits_of(result.edits), edits)
            all_edits = joined(by_speaker, texts_of(result.edits))
            analysis = self._corrected(call_id, result, all_edits, playbook) if all_edits else None
            now = utc_now()
            results.replace_edited(call_id, result.id, all_edits, analysis, now, like=result.original)

    def _playbook_of(self, call_id: str) -> CompiledPlaybook:
        with self._database.snapshot() as session:
            name = ResultRepository(session).playbook_of(call_id)
        return self._library.current(name)

    def _corrected(
        self, call_id: str, result: EditableResult, edits: Sequence[Edit], playbook: CompiledPlaybook
    ) -> Analysis:
        draft = drafted(result.original, edits, result.current)
        judged = left_as_judged(draft, result.current)
        return concluded(call_id, result.original, draft, judged, playbook, self._coachable)


def _after(result: EditableResult) -> tuple[Speaker, ...]:
    """The speakers as corrected so far."""
    return apply_edits((), result.original.speakers, speaker_edits_of(result.edits))[1]
