"""A call of the list as its line shows it."""

from __future__ import annotations

from collections.abc import Iterator

from app.schemas.call import CallRecord, CallSummary, Failure
from app.schemas.search import TextMatch
from app.web.contexts.calls import CallFailure, CallLine, MomentCount, Piece

SHOWN_MOMENTS = 3


def line_of(summary: CallSummary) -> CallLine:
    call, overview, match = summary.call, summary.overview, summary.match
    counted = sorted(summary.moments.items(), key=lambda item: (-item[1], item[0]))
    return CallLine(
        call_id=call.call_id,
        file_name=call.file_name,
        agent_id=call.agent_id,
        customer_id=call.customer_id,
        held_at=call.started_at or call.created_at,
        duration_s=call.duration_s,
        status=call.status,
        follows=not call.status.is_final,
        stage=call.stage,
        percent=call.percent,
        queue_position=summary.queue_position,
        failure=_failure(call, call.failure),
        is_held=call.legal_hold,
        moments=tuple(MomentCount(kind, count) for kind, count in counted[:SHOWN_MOMENTS]),
        more_moments=sum(count for _, count in counted[SHOWN_MOMENTS:]),
        curve=overview.curve if overview else (),
        agent_share=overview.share_of_speech if overview else None,
        words=tuple(_pieces(match)) if match else (),
        words_at_s=match.start_s if match else None,
    )


def _pieces(match: TextMatch) -> Iterator[Piece]:
    """The text in order, what was searched for apart from the rest."""
    at = 0
    for start, end in match.marks:
        yield Piece(match.text[at:start], is_match=False)
        yield Piece(match.text[start:end], is_match=True)
        at = end
    yield Piece(match.text[at:], is_match=False)


def _failure(call: CallRecord, failure: Failure | None) -> CallFailure | None:
    if failure is None:
        return None
    has_recording = call.audio_key is not None
    return CallFailure(failure.code, failure.stage, failure.detail, may_be_repeated=has_recording)
