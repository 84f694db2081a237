"""PATCH /calls/{call_id}: whose call it is, and whether it is under legal hold."""

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
    summary="Say whose call it is, put it under legal hold, or end that",
    responses=problem_responses(401, 403, 404, 422, 500, 503),
)
def change_call(call_id: CallIdPath, patch: CallPatch, services: ServicesDep) -> CallResult:
    """`agent_id`, `team_id` and `customer_id` alter no result: figures, lists and clips count the call under
    the new ones at once. A field that is left out stays as it is; null takes it away.

    Under `legal_hold` nothing of the call is removed: not for its age, not by `DELETE` (409 `legal_hold`),
    not by a new recording under the id of a failed call.

    Answers with the call.
    """
    if patch.parties:
        services.calls.assign(call_id, patch.parties)
    if patch.legal_hold is not None:
        services.retention.hold(call_id, held=patch.legal_hold)
    stored = services.calls.read(call_id)
    return shown(stored)
