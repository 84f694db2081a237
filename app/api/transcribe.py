"""POST /transcribe: a recording in, the whole analysis out."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from app.api.deps import RuntimeDep
from app.api.errors import problem_responses
from app.api.examples import CALL_RESULT, TRANSCRIBE_FORM
from app.api.intake import checked_call, checked_key, receive, request_key, take_in
from app.core.exceptions import CallCancelled, CallFailed, IdempotencyKeyInUse
from app.schemas.analysis import CallStatus
from app.schemas.models import CallResult
from app.services.call_service import Intake

router = APIRouter(tags=["calls"])


@router.post(
    "/transcribe",
    summary="Transcribe and analyse a recording",
    response_model=CallResult,
    responses={
        200: {"content": {"application/json": {"example": CALL_RESULT}}},
        **problem_responses(400, 401, 403, 408, 409, 413, 415, 422, 500, 503, 504, 507),
    },
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": TRANSCRIBE_FORM}}},
)
async def transcribe(request: Request, response: Response, runtime: RuntimeDep) -> CallResult:
    """Waits for the analysis and answers with it.

    The name and the content type of the upload never decide: its bytes do. The same `call_id` with the
    same recording and options answers with the stored result (`Idempotent-Replayed: true`), or joins the
    work on it; a failed call runs again; another recording under a taken id is refused (409). A client
    that goes away does not stop the work.
    """
    key = checked_key(request)
    await asyncio.to_thread(runtime.services.calls.check_room)
    await asyncio.to_thread(runtime.check_engines)
    upload = await receive(request, runtime)
    call = await asyncio.to_thread(checked_call, upload, runtime)
    accepted = await asyncio.to_thread(take_in, call, request_key(key, upload, call), runtime)
    if key and accepted.intake is Intake.JOINED:
        raise IdempotencyKeyInUse(f"call {accepted.call_id} is still in work", retry_after_s=5)
    record = await runtime.runner.finished(accepted.call_id)
    if record.status is CallStatus.CANCELLED:
        raise CallCancelled(f"call {record.call_id} was cancelled")
    if record.failure is not None:
        error = CallFailed(record.failure.code, record.failure.status, record.failure.detail)
        error.context = {"call_id": record.call_id, "stage": record.failure.stage or "intake"}
        raise error
    if accepted.intake is Intake.REPLAYED:
        response.headers["Idempotent-Replayed"] = "true"
    stored = await asyncio.to_thread(runtime.services.calls.read, record.call_id)
    return CallResult.of(stored.record, stored.analysis)
