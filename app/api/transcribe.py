"""POST /transcribe: a recording in, the whole analysis out."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from app.api.deps import RuntimeDep
from app.api.errors import field_errors, problem_responses, validation_failed
from app.api.examples import CALL_RESULT, TRANSCRIBE_FORM
from app.api.upload import Upload, UploadReceiver
from app.core.exceptions import CallFailed, CallInterrupted, EmptyAudio
from app.schemas.call import CallRecord, NewCall
from app.schemas.models import CallResult
from app.schemas.requests import CallForm
from app.services.call_service import Intake, fingerprint, new_call_id
from app.storage.base import StoredFile
from app.workers.runtime import Runtime

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
    runtime.runner.check_room()
    await asyncio.to_thread(runtime.engines.choose)
    upload = await _receive(request, runtime)
    call = await asyncio.to_thread(_checked, upload, runtime)
    record, replayed = await _analyse(call, runtime)
    if record.failure is not None:
        error = CallFailed(record.failure.code, record.failure.status, record.failure.detail)
        error.context = {"call_id": call.call_id, "stage": record.failure.stage or "intake"}
        raise error
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    stored = await asyncio.to_thread(runtime.services.calls.read, call.call_id)
    return CallResult.of(stored.record, stored.analysis)


async def _receive(request: Request, runtime: Runtime) -> Upload:
    services = runtime.services
    receiver = UploadReceiver(
        services.storage,
        limit=services.settings.max_upload_bytes,
        timeout_s=services.settings.upload_timeout_s,
        head_bytes=services.audio.head_bytes,
    )
    return await receiver.receive(request)


def _checked(upload: Upload, runtime: Runtime) -> NewCall:
    """The call that an upload describes. Whatever is wrong with it, its stored bytes are removed."""
    try:
        form = _form(upload.fields)
        runtime.services.webhooks.check_call_url(form.webhook_url)
        if upload.audio is None:
            raise EmptyAudio("the field 'audio' is missing or empty")
        runtime.services.audio.check(upload.head, upload.audio.size)
        runtime.engines.choose(form.language)
        return _new_call(form, upload.audio)
    except BaseException:
        if upload.audio is not None:
            runtime.services.storage.delete(upload.audio.key)
        raise


def _form(fields: dict[str, str]) -> CallForm:
    values: dict[str, Any] = dict(fields)
    try:
        if fields.get("metadata"):
            values["metadata"] = json.loads(fields["metadata"])
        elif "metadata" in values:
            del values["metadata"]
        return CallForm.model_validate(values)
    except (ValueError, RecursionError) as error:
        problems = (
            field_errors(error.errors())
            if isinstance(error, ValidationError)
            else [{"field": "metadata", "message": "is not valid JSON"}]
        )
        raise validation_failed(problems) from None


def _new_call(form: CallForm, audio: StoredFile) -> NewCall:
    return NewCall(
        call_id=form.call_id or new_call_id(),
        fingerprint=fingerprint(audio.sha256, form.options),
        audio_key=audio.key,
        audio_sha256=audio.sha256,
        audio_bytes=audio.size,
        agent_id=form.agent_id,
        customer_id=form.customer_id,
        options=form.options,
        started_at=form.started_at,
        direction=form.direction,
        metadata=form.metadata,
        webhook_url=form.webhook_url,
    )


async def _analyse(call: NewCall, runtime: Runtime) -> tuple[CallRecord, bool]:
    """The finished call, and whether its result was there before.

    Work that this request joined and that ended with its process is begun again with this upload.
    """
    while True:
        intake = await asyncio.to_thread(_take_in, call, runtime)
        again = False
        try:
            record = await runtime.runner.finished(call.call_id)
            lost = record.failure is not None and record.failure.code == CallInterrupted.code
            again = intake is Intake.JOINED and lost
        finally:
            # Also where the call was deleted meanwhile: this copy of its recording belongs to nobody.
            if intake is not Intake.STARTED and not again:
                await asyncio.to_thread(runtime.services.storage.delete, call.audio_key)
        if not again:
            return record, intake is Intake.REPLAYED


def _take_in(call: NewCall, runtime: Runtime) -> Intake:
    started = False
    try:
        runtime.runner.reserve()
        try:
            intake = runtime.services.calls.accept(call)
            started = intake is Intake.STARTED
        finally:
            if not started:
                runtime.runner.release()
    except BaseException:
        runtime.services.storage.delete(call.audio_key)
        raise
    if started:
        runtime.runner.submit(call.call_id)
    return intake
