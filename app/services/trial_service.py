"""Tries a draft on stored calls, or on a text that was sent along, against the current revision."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import BoundedSemaphore

from app.core.exceptions import Busy, CallNotFound, CallNotReady, TextDeleted, UnknownPlaybook
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.analysis import Analysis
from app.schemas.call import CallFilter
from app.schemas.conversation import Conversation
from app.schemas.guards import found_call, refuse_without_words
from app.schemas.metrics import Metrics
from app.schemas.moment import Moment
from app.schemas.speaker import Speaker
from app.schemas.trial import Since, Skipped, Trial
from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.coachable_service import CoachableService
from app.services.given_transcript import GivenSegment, heard_of
from app.services.metrics_service import measure
from app.services.playbook_library import PlaybookLibrary, parsed
from app.services.playbook_service import PlaybookService, read_text
from app.services.trials import note_call

LONGEST_S = 20.0
"""Time after which no further call is begun."""
MOST_AT_ONCE = 2
"""Trials of one process at a time: each takes a whole core."""


@dataclass(frozen=True)
class _Tried:
    """The two that are compared, and for how long."""

    draft: CompiledPlaybook
    current: CompiledPlaybook | None
    until: float


class TrialService:
    """Reads, and writes nothing. Thread-safe."""

    def __init__(
        self,
        database: Database,
        coachable: CoachableService,
        library: PlaybookLibrary,
        playbooks: PlaybookService,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._coachable = coachable
        self._library = library
        self._playbooks = playbooks
        self._clock = clock
        self._turns = BoundedSemaphore(MOST_AT_ONCE)

    def on_calls(self, name: str, text: str | None, calls: Sequence[str] | Since) -> Trial:
        """Try ``text``, or else the stored draft, on stored calls: those of these ids, or the latest ones.

        A call that has no words to look at is skipped, with the reason. Raises PlaybookDraftNotFound, what an
        unusable text raises, and Busy.
        """
        return self._in_turn(name, text, lambda tried, trial: self._try_calls(tried, trial, calls))

    def on_segments(
        self, name: str, text: str | None, segments: Sequence[GivenSegment], language: str
    ) -> Trial:
        """Try it on what was sent along; where its segments have no times, nothing is found in time.

        Raises as ``on_calls`` does, and ValidationFailed for segments that contradict one another.
        """
        heard = heard_of(segments, language)
        told = heard.told
        assert told is not None
        conversation = Conversation(
            heard.duration_s,
            told.segments,
            (None,) * len(told.segments),
            told.speakers or tuple(Speaker(name) for name in {part.speaker: 0 for part in told.segments}),
            language=language,
        )
        metrics = measure(conversation) if told.is_timed else None

        def try_them(tried: _Tried, trial: Trial) -> None:
            found = [self._find("", conversation, metrics, book) for book in (tried.draft, tried.current)]
            note_call(trial, None, *found, is_timed=told.is_timed)

        return self._in_turn(name, text, try_them)

    def _in_turn(self, name: str, text: str | None, work: Callable[[_Tried, Trial], None]) -> Trial:
        if not self._turns.acquire(blocking=False):
            raise Busy("as many playbooks as may be are being tried", retry_after_s=5)
        try:
            tried = self._tried(name, text)
            trial = Trial(name, tried.draft.revision, tried.current.revision if tried.current else None)
            work(tried, trial)
            return trial
        finally:
            self._turns.release()

    def _tried(self, name: str, text: str | None) -> _Tried:
        draft = parsed(self._playbooks.draft(name)) if text is None else read_text(text, name)
        try:
            current = self._library.current(name)
        except UnknownPlaybook:
            current = None
        return _Tried(CompiledPlaybook(draft), current, self._clock() + LONGEST_S)

    def _try_calls(self, tried: _Tried, trial: Trial, calls: Sequence[str] | Since) -> None:
        ids = self._latest(calls) if isinstance(calls, Since) else tuple(dict.fromkeys(calls))
        for number, call_id in enumerate(ids):
            if self._clock() > tried.until:
                trial.not_tried = len(ids) - number
                return
            try:
                analysis = self._analysis(call_id)
            except (CallNotFound, CallNotReady, TextDeleted) as error:
                trial.skipped.append(Skipped(call_id, error.code))
                continue
            found = [
                self._find(call_id, analysis.conversation, analysis.metrics, book)
                for book in (tried.draft, tried.current)
            ]
            note_call(trial, call_id, *found)

    def _latest(self, calls: Since) -> tuple[str, ...]:
        filters = CallFilter(date_from=calls.since)
        summaries, _ = self._database.read(
            lambda session: CallRepository(session).page(filters, calls.limit, None)
        )
        return tuple(summary.call.call_id for summary in summaries)

    def _analysis(self, call_id: str) -> Analysis:
        """One call in one short transaction: others write in between."""
        with self._database.snapshot() as session:
            record = found_call(CallRepository(session).get(call_id), call_id)
            refuse_without_words(record)
            analysis = ResultRepository(session).current(call_id)
        if analysis is None:
            raise CallNotReady(f"call {call_id} is {record.status}")
        return analysis

    def _find(
        self,
        call_id: str,
        conversation: Conversation,
        metrics: Metrics | None,
        playbook: CompiledPlaybook | None,
    ) -> tuple[Moment, ...]:
        if playbook is None:
            return ()
        return self._coachable.find(
            call_id,
            conversation.segments,
            conversation.language,
            metrics,
            playbook,
            sentiments=conversation.sentiments,
        )
