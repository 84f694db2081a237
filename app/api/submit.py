"""POST /calls: a recording in, and the answer at once; what becomes of it is read, streamed or told later."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.api.deps import RuntimeDep
from app.api.errors import REPLAYED_HEADER, problem_responses
from app.api.examples import IDEMPOTENCY_KEY, LOCATION, TRANSCRIBE_FORM, UPLOAD_HEADERS
from app.api.intake import take_in
from app.schemas.state_models import CallState
from app.services.call_service import Intake

router = APIRouter(tags=["calls"])


@router.post(
    "/calls",
    summary="Hand in a recording without waiting for its analysis",
    status_code=202,
    responses={
        202: {
            "description": "It is stored and will be worked on.",
            "headers": {**LOCATION, **UPLOAD_HEADERS},
        },
        **problem_responses(400, 401, 403, 408, 409, 413, 415, 422, 500, 503, 507),
    },
    openapi_extra={
        "parameters": [IDEMPOTENCY_KEY],
        "requestBody": {"required": True, "content": {"multipart/form-data": TRANSCRIBE_FORM}},
    },
)
async def submit_call(request: Request, response: Response, runtime: RuntimeDep) -> CallState:
    """The same form and the same work as `POST /transcribe`.

    `GET /calls/{call_id}` shows how far it is, `GET /calls/{call_id}/events` streams that, and a
    `webhook_url` is told of the end. Sent again, with the same `call_id` or `Idempotency-Key`, it answers
    with the state of the call that is there (`Idempotent-Replayed: true`).
    """
    accepted = await take_in(request, runtime)
    response.headers["Location"] = f"/calls/{accepted.call_id}"
    if accepted.intake is not Intake.STARTED:
        response.headers[REPLAYED_HEADER] = "true"
    return CallState.of(accepted.record, accepted.queue_position)
