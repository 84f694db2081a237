"""What stands at the head of a call's page. Pure."""

from __future__ import annotations

from app.schemas.analysis import Analysis, CallStatus
from app.schemas.call import CallRecord
from app.web.contexts.call import CallHead, CallWork, EngineUsed, Told
from app.web.contexts.calls import CallFailure
from app.web.formatting import stage_words


def has_audio(call: CallRecord) -> bool:
    return call.audio_key is not None and call.audio_missing_at is None


def has_words(call: CallRecord) -> bool:
    return call.text_deleted_at is None


def head_of(call: CallRecord, analysis: Analysis | None) -> CallHead:
    notices = analysis.warnings if analysis else ()
    engines = analysis.engines if analysis else {}
    return CallHead(
        call_id=call.call_id,
        file_name=call.file_name,
        agent_id=call.agent_id,
        team_id=call.team_id,
        customer_id=call.customer_id,
        held_at=call.started_at or call.created_at,
        direction=call.direction,
        duration_s=analysis.duration_s if analysis else call.duration_s,
        language=analysis.language if analysis else call.options.language,
        status=call.status,
        is_final=call.status.is_final,
        is_held=call.legal_hold,
        duplicate_of=call.duplicate_of,
        has_result=analysis is not None,
        has_audio=has_audio(call),
        has_text=has_words(call),
        audio_deleted_at=call.audio_deleted_at,
        text_deleted_at=call.text_deleted_at,
        audio_is_missing=call.audio_missing_at is not None,
        is_degraded=analysis is not None and analysis.degraded,
        engines=tuple(EngineUsed(stage_words(stage), label) for stage, label in engines.items()),
        notices=tuple(Told(stage_words(one.stage), one.code, one.message) for one in notices),
        playbook=analysis.playbook if analysis else "",
        revision=analysis.playbook_revision if analysis else "",
    )


def work_of(call: CallRecord, queue_position: int | None, *, has_result: bool) -> CallWork:
    return CallWork(
        call_id=call.call_id,
        status=call.status,
        stage=stage_words(call.stage) if call.stage else None,
        percent=call.percent,
        queue_position=queue_position,
        attempts=call.attempts,
        has_result=has_result,
        is_done=call.status.is_final,
    )


def failure_of(call: CallRecord) -> CallFailure | None:
    """Why the call, or its latest rerun, failed; also that it was cancelled."""
    failure = call.failure
    may_be_repeated = call.audio_key is not None and call.status.is_final
    if failure is None:
        if call.status is not CallStatus.CANCELLED:
            return None
        return CallFailure(
            "cancelled", None, "The work was stopped before there was a result.", may_be_repeated
        )
    stage = stage_words(failure.stage) if failure.stage else None
    return CallFailure(failure.code, stage, failure.detail, may_be_repeated)
