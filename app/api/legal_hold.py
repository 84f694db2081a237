"""PATCH /calls/{call_id}: put a call under legal hold, or take it out."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.calls import CallIdPath, shown
from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.schemas.models import CallResult
from app.schemas.requests import CallPatch

router = APIRouter(prefix="/calls", tags=["calls"])


@router.patch(
    "/{call_id}",
    summary="Put a call under legal hold, or end that",
    responses=problem_responses(401, 403, 404, 422, 500, 503),
)
def change_call(call_id: CallIdPath, patch: CallPatch, services: ServicesDep) -> CallResult:
    """Under `legal_hold` nothing of the call is removed: not for its age, not by `DELETE` (409 `legal_hold`),
    not by a new recording under the id of a failed call.

    Answers with the call.
    """
    services.retention.hold(call_id, held=patch.legal_hold)
    stored = services.calls.read(call_id)
    return shown(stored)
