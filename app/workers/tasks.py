"""Entry point of the work on one call: takes its id, runs the pipeline, stores what came of it."""

from __future__ import annotations

import logging
import time

from app.core.exceptions import (
    AppError,
    AudioRejected,
    DatabaseUnavailable,
    InternalError,
    StorageUnavailable,
)
from app.schemas.analysis import Analysis
from app.schemas.call import CallRecord
from app.services.call_service import CallService
from app.storage.base import Storage
from app.storage.scratch import Scratch
from app.workers.pipeline import CallInput, Stages, process_call
from app.workers.progress import CallGone, Progress

log = logging.getLogger(__name__)

PERSIST_PAUSES_S = (0.5, 1, 2, 4, 8)


class CallTask:
    """Works on calls, one a thread. Holds no database connection while the pipeline runs."""

    def __init__(self, calls: CallService, storage: Storage, scratch: Scratch, stages: Stages) -> None:
        self._calls = calls
        self._storage = storage
        self._scratch = scratch
        self._stages = stages

    def run(self, call_id: str) -> None:
        """Finish the call: a result, or `failed` with its reason; nothing when it was deleted meanwhile."""
        record = self._calls.start(call_id)
        if record is None:
            log.warning("call.not_ours")
            return
        progress = Progress(on_stage=lambda stage: self._calls.enter_stage(call_id, stage))
        try:
            self._process(record, progress)
        except CallGone:
            log.info("call.gone")
        except AudioRejected as error:
            self._fail(call_id, error, progress, drop_audio=True)
        except AppError as error:
            self._fail(call_id, error, progress, drop_audio=False)
        except Exception:
            log.exception("call.crashed")
            self._fail(call_id, InternalError(), progress, drop_audio=False)

    def _process(self, record: CallRecord, progress: Progress) -> None:
        if record.audio_key is None:
            raise StorageUnavailable("the recording is missing from the storage")
        with self._storage.local_path(record.audio_key) as recording, self._scratch.folder() as scratch:
            call = CallInput(record.call_id, recording, record.options, record.direction, record.metadata)
            analysis = process_call(call, self._stages, scratch, progress)
        with progress.stage("persist"):
            if self._persist(record.call_id, analysis):
                log.info("call.completed", extra={"status": analysis.status, "degraded": analysis.degraded})

    def _persist(self, call_id: str, analysis: Analysis) -> bool:
        """Store the result; a database that is away for a moment must not cost the whole work."""
        for pause_s in PERSIST_PAUSES_S:
            try:
                return self._calls.complete(call_id, analysis)
            except DatabaseUnavailable:
                log.warning("call.persist_again", extra={"pause_s": pause_s})
                time.sleep(pause_s)
        return self._calls.complete(call_id, analysis)

    def _fail(self, call_id: str, error: AppError, progress: Progress, *, drop_audio: bool) -> None:
        log.warning("call.failed", extra={"code": error.code, "stage": progress.current})
        try:
            self._calls.fail(call_id, error, progress.current, drop_audio=drop_audio)
        except DatabaseUnavailable:
            log.exception("call.failure_not_stored")  # its heartbeat runs out: it will be `interrupted`
