"""A call of the list as its line shows it."""

from __future__ import annotations

from app.schemas.call import CallRecord, CallSummary, Failure
from app.web.contexts.calls import CallFailure, CallLine, MomentCount

SHOWN_MOMENTS = 3


def line_of(summary: CallSummary, queue_position: int | None = None) -> CallLine:
    call = summary.call
    counted = sorted(summary.moments.items(), key=lambda item: (-item[1], item[0]))
    return CallLine(
        call_id=call.call_id,
        agent_id=call.agent_id,
        customer_id=call.customer_id,
        held_at=call.started_at or call.created_at,
        duration_s=call.duration_s,
        status=call.status,
        follows=not call.status.is_final,
        stage=call.stage,
        percent=call.percent,
        queue_position=queue_position,
        failure=_failure(call, call.failure),
        is_held=call.legal_hold,
        moments=tuple(MomentCount(kind, count) for kind, count in counted[:SHOWN_MOMENTS]),
        more_moments=sum(count for _, count in counted[SHOWN_MOMENTS:]),
        curve=(),
        agent_share=None,
        words=(),
        words_at_s=None,
    )


def _failure(call: CallRecord, failure: Failure | None) -> CallFailure | None:
    if failure is None:
        return None
    has_recording = call.audio_key is not None
    return CallFailure(failure.code, failure.stage, failure.detail, may_be_repeated=has_recording)
