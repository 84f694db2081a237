"""POST /transcribe: a recording in, the whole analysis out."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from app.api.calls import shown
from app.api.deps import RuntimeDep
from app.api.errors import REPLAYED_HEADER, problem_responses
from app.api.examples import CALL_RESULT, IDEMPOTENCY_KEY, TRANSCRIBE_FORM, UPLOAD_HEADERS
from app.api.intake import take_in
from app.core.exceptions import AppError, CallCancelled, CallFailed, IdempotencyKeyInUse
from app.schemas.analysis import CallStatus
from app.schemas.call import CallRecord
from app.schemas.models import CallResult
from app.services.call_service import Intake

router = APIRouter(tags=["calls"])


@router.post(
    "/transcribe",
    summary="Transcribe and analyse a recording",
    response_model=CallResult,
    responses={
        200: {"headers": UPLOAD_HEADERS, "content": {"application/json": {"example": CALL_RESULT}}},
        **problem_responses(400, 401, 403, 408, 409, 413, 415, 422, 500, 503, 504, 507),
    },
    openapi_extra={
        "parameters": [IDEMPOTENCY_KEY],
        "requestBody": {"required": True, "content": {"multipart/form-data": TRANSCRIBE_FORM}},
    },
)
async def transcribe(request: Request, response: Response, runtime: RuntimeDep) -> CallResult:
    """Waits for the analysis and answers with it: the same work as `POST /calls`.

    The name and the content type of the upload never decide: its bytes do. The same `call_id` with the
    same recording and options answers with the stored result (`Idempotent-Replayed: true`), or joins the
    work on it; a failed call runs again; another recording under a taken id is refused (409). A client
    that goes away does not stop the work.
    """
    accepted = await take_in(request, runtime)
    if accepted.by_key and accepted.intake is Intake.JOINED:
        raise IdempotencyKeyInUse(f"call {accepted.call_id} is still in work", retry_after_s=5)
    record = await runtime.watch.finished(accepted.call_id)
    is_replay = accepted.intake is Intake.REPLAYED
    if not record.status.is_complete:
        error = _why_not(record)
        error.is_replay = is_replay
        raise error
    if is_replay:
        response.headers[REPLAYED_HEADER] = "true"
    stored = await asyncio.to_thread(runtime.services.calls.read, record.call_id)
    return shown(stored)


def _why_not(record: CallRecord) -> AppError:
    """Why a call that has ended has no result."""
    failure = record.failure
    if record.status is CallStatus.CANCELLED or failure is None:
        return CallCancelled(f"call {record.call_id} was cancelled")
    error = CallFailed(failure.code, failure.status, failure.detail)
    error.context = {"call_id": record.call_id, "stage": failure.stage or "intake"}
    return error
