"""PATCH /calls/{call_id}/speakers: a reviewer says who spoke."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.calls import CallIdPath, shown
from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.schemas.models import CallResult
from app.schemas.requests import SpeakersPatch

router = APIRouter(prefix="/calls", tags=["calls"])


@router.patch(
    "/{call_id}/speakers",
    summary="Name, swap or merge speakers, or set their roles",
    responses=problem_responses(401, 403, 404, 409, 410, 422, 500, 503),
)
def correct_speakers(call_id: CallIdPath, patch: SpeakersPatch, services: ServicesDep) -> CallResult:
    """Answers with the call as corrected.

    Roles, metrics and moments are made anew in one transaction; nothing is transcribed again. Swapping
    twice gives back the identical result.
    """
    services.speakers.edit(call_id, patch.edits)
    stored = services.calls.read(call_id)
    return shown(stored)
