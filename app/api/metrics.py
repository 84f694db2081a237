"""GET /calls/{call_id}/metrics: how the conversation went, in numbers."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.calls import CallIdPath
from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.schemas.guards import refuse_without_words
from app.schemas.metrics import Metrics
from app.services.metrics_service import measured

router = APIRouter(prefix="/calls", tags=["calls"])


@router.get(
    "/{call_id}/metrics",
    summary="Conversation metrics, each with the intervals behind it",
    responses=problem_responses(401, 403, 404, 409, 410, 422, 500, 503),
)
def read_metrics(call_id: CallIdPath, services: ServicesDep) -> Metrics:
    """Talk, turns, interruptions, pace, loudness, questions, fillers and sentiment by published definitions.

    `metrics_version` names the definitions. The recording itself is not needed for it, nor are the words:
    once they were deleted, the metrics are those that were stored.
    """
    record, analysis = services.calls.finished(call_id, needs_words=False)
    if record.text_deleted_at is not None and analysis.metrics is not None:
        return analysis.metrics
    refuse_without_words(record)
    return measured(analysis.conversation, analysis.metrics)
