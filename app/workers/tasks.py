"""Entry point of the work on one call: runs the pipeline on what was taken, stores what comes of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from app.core.exceptions import (
    AppError,
    AudioRejected,
    DatabaseUnavailable,
    EngineCrashed,
    InternalError,
    ResourceLimit,
    StorageUnavailable,
)
from app.core.telemetry import Telemetry
from app.schemas.analysis import Analysis, CallStatus
from app.schemas.call import CallRecord, Claim, Queue
from app.schemas.correction import Corrected
from app.schemas.heard import Heard
from app.schemas.waveform import Peaks
from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.edited_analysis import concluded, drafted
from app.services.playbook_library import PlaybookLibrary
from app.services.text_edits import joined, placed, speaker_edits_of, texts_of
from app.services.work_service import Work, WorkService
from app.storage.base import Storage
from app.storage.scratch import Scratch
from app.workers.pipeline import CallInput, Stages, analyse, hear
from app.workers.progress import CallGone, Progress
from app.workers.rejudging import rejudge

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
PERSIST_PAUSES_S = (0.5, 1, 2, 4, *[5] * 120)
"""Ten minutes: what was worked for is worth the wait."""


class CallTask:
    """Works on calls, one a thread. Holds no database connection while the pipeline runs."""

    def __init__(
        self,
        work: WorkService,
        storage: Storage,
        scratch: Scratch,
        stages: Stages,
        library: PlaybookLibrary,
        queues: Sequence[Queue],
        telemetry: Telemetry,
    ) -> None:
        """``queues``: those that this process serves; the rest of a call may be for others."""
        self._work = work
        self._storage = storage
        self._scratch = scratch
        self._stages = stages
        self._library = library
        self._queues = queues
        self._telemetry = telemetry

    def run(self, work: Work, progress: Progress) -> Queue | None:
        """Finish the call: a result, or `failed` with its reason; or leave it to others, in the queue that is
        given back; nothing when it was deleted, cancelled or taken over meanwhile."""
        claim = work.claim
        try:
            return self._process(work, progress)
        except CallGone:
            log.info("call.gone")
            self._telemetry.call_ended("gone")
        except EngineCrashed:
            log.warning("call.engine_lost", extra={"stage": progress.current, "attempt": claim.attempt})
            self._telemetry.call_ended("engine_lost")
            return self._begin_again(work, progress)
        except ResourceLimit as error:
            if claim.attempt == 1 and not progress.last_attempt:
                log.warning("call.too_large", extra={"stage": progress.current})
                self._telemetry.call_ended("engine_lost")
                return self._begin_again(work, progress)
            self._fail(claim, error, progress, drop_audio=False)
        except AudioRejected as error:
            self._fail(claim, error, progress, drop_audio=True)
        except AppError as error:
            self._fail(claim, error, progress, drop_audio=False)
        except Exception:
            log.exception("call.crashed")
            self._fail(claim, InternalError(), progress, drop_audio=False)
        return None

    def follow(self, work: Work, max_attempts: int) -> Progress:
        """What ``run`` is to be given: shows each stage in the database and counts its time."""
        progress = Progress(
            on_stage=lambda stage, percent: self._work.enter_stage(work.claim, stage, percent),
            on_end=self._telemetry.stage_ended,
            shown_before=work.record.percent,
        )
        progress.last_attempt = work.claim.attempt >= max_attempts
        return progress

    def _begin_again(self, work: Work, progress: Progress) -> Queue | None:
        self._stored(lambda: self._work.try_again(work.claim, progress.current))
        return work.record.queue

    def _process(self, work: Work, progress: Progress) -> Queue | None:
        record = work.record
        call = CallInput(record.call_id, record.options, record.direction, record.metadata)
        heard = work.heard
        if heard is None or heard.turns is None:
            heard = self._hear(call, work, progress)
            if record.queue is Queue.TRANSCRIBE and Queue.ANALYZE not in self._queues:
                self._stored(lambda: self._work.hand_on(work.claim, heard))
                self._telemetry.call_ended("handed_on")
                return Queue.ANALYZE
        # Asked for now and not when the call began: what is published in that hour holds for it.
        playbook = self._stored(lambda: self._playbook_of(record, heard))
        analysis = analyse(replace(call, playbook=playbook), heard, self._stages, progress)
        corrected = self._corrected(call.call_id, heard, analysis, playbook, progress)
        with progress.stage("persist"):
            self._persist(work.claim, analysis, corrected, progress)
        return None

    def _corrected(
        self,
        call_id: str,
        heard: Heard,
        analysis: Analysis,
        playbook: CompiledPlaybook,
        progress: Progress,
    ) -> Corrected | None:
        """What reviewers' corrections make of the analysis; None where there are none.

        Nobody corrects a call while it is in work. Those of speakers hold for the speakers that there were.
        """
        made = self._stored(lambda: self._work.edits(call_id))
        is_original = heard.told is not None and heard.told.is_original
        speakers = speaker_edits_of(made) if is_original else ()
        segments = [part.segment for part in analysis.segments]
        edits = joined(speakers, placed(texts_of(made), segments))
        if not edits:
            return None
        draft = drafted(analysis, edits, analysis, heed_roles=True)
        progress.resume(heard)
        judged = rejudge(draft, self._stages, progress)
        coachable = self._stages.coachable
        return Corrected(edits, concluded(call_id, analysis, draft, judged, playbook, coachable))

    def _playbook_of(self, record: CallRecord, heard: Heard) -> CompiledPlaybook:
        """The one that a reanalysis names, else the one that the call asks for."""
        told = heard.told
        if told is not None and told.playbook is not None and told.revision is not None:
            return self._library.revision(told.playbook, told.revision)
        return self._library.current((told and told.playbook) or record.options.playbook)

    def _hear(self, call: CallInput, work: Work, progress: Progress) -> Heard:
        if work.record.audio_key is None:
            raise StorageUnavailable("the recording is missing from the storage")

        def keep(heard: Heard) -> None:
            if not self._work.keep(work.claim, heard):
                raise CallGone

        def keep_peaks(peaks: Peaks) -> None:
            if not self._work.keep_peaks(work.claim, peaks):
                raise CallGone

        with self._storage.local_path(work.record.audio_key) as recording, self._scratch.folder() as scratch:
            return hear(call, recording, self._stages, scratch, progress, work.heard, keep, keep_peaks)

    def _persist(
        self, claim: Claim, found: Analysis, corrected: Corrected | None, progress: Progress
    ) -> None:
        analysis = corrected.analysis if corrected else found
        if self._stored(lambda: self._work.complete(claim, found, corrected)):
            log.info("call.completed", extra={"status": analysis.status, "degraded": analysis.degraded})
            self._telemetry.call_ended(analysis.status)
            self._telemetry.call_analysed(
                analysis.duration_s, progress.worked_s, has_text=not analysis.no_speech
            )

    def _fail(self, claim: Claim, error: AppError, progress: Progress, *, drop_audio: bool) -> None:
        if progress.stopped.is_set():
            log.info("call.gone")
            self._telemetry.call_ended("gone")
            return
        log.warning("call.failed", extra={"code": error.code, "stage": progress.current})
        stage = progress.current
        if self._stored(lambda: self._work.fail(claim, error, stage, drop_audio=drop_audio)):
            self._telemetry.call_ended(CallStatus.FAILED, error.code)

    def _stored(self, ask: Callable[[], Answer]) -> Answer:
        """A database that is away for a while must not cost the whole work."""
        for pause_s in PERSIST_PAUSES_S:
            try:
                return ask()
            except DatabaseUnavailable:
                log.warning("call.store_again", extra={"pause_s": pause_s})
                time.sleep(pause_s)
        return ask()


def describe(record: CallRecord) -> dict[str, object]:
    """What every log line of the work on a call says."""
    return {"call_id": record.call_id, "attempt": record.attempts}
