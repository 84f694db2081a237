"""How a recording comes in, whoever waits for it: the upload, its checks, its key, its place in the queue."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import Request
from pydantic import ValidationError

from app.api.errors import field_errors, validation_failed
from app.api.upload import Upload, UploadReceiver
from app.core.exceptions import DatabaseUnavailable, EmptyAudio, IdempotencyKeyInvalid
from app.schemas.call import FILE_NAME, NewCall, RequestKey
from app.schemas.requests import LONGEST_METADATA, CallForm
from app.services.call_service import Accepted, Intake, fingerprint, new_call_id
from app.storage.base import StoredFile
from app.workers.runtime import Runtime

KEY_HEADER = "Idempotency-Key"
LONGEST_KEY = 255


async def take_in(
    request: Request,
    runtime: Runtime,
    *,
    apart: frozenset[str] = frozenset(),
    keeps_file_name: bool = False,
) -> Accepted:
    """Take in what the request brings. What surely fails is refused before its recording is read.

    After the last byte there is one hop into a thread, and one transaction in it. ``apart``: fields of the
    form that are not about the call. ``keeps_file_name``: in the metadata, where the form brings none.
    """
    runtime.check_open()
    key = checked_key(request)
    await asyncio.to_thread(_check_before, runtime)
    upload = await _receive(request, runtime)
    upload.fields = {name: value for name, value in upload.fields.items() if name not in apart}
    if keeps_file_name and upload.file_name:
        upload.fields.setdefault("metadata", json.dumps({FILE_NAME: upload.file_name[-LONGEST_METADATA:]}))
    return await asyncio.to_thread(_take_in, upload, key, runtime)


def take_in_file(path: Path, fields: dict[str, str], runtime: Runtime) -> Accepted:
    """Take in a recording of this machine as if it had been sent with ``fields``. It is small."""
    runtime.check_open()
    _check_before(runtime)
    content = path.read_bytes()
    writer = runtime.services.storage.create()
    try:
        writer.write(content)
        audio = writer.commit()
    finally:
        writer.discard()
    return _take_in(Upload(fields, audio, content[: runtime.services.audio.head_bytes]), None, runtime)


def _check_before(runtime: Runtime) -> None:
    runtime.services.calls.check_room()
    runtime.check_engines()


async def _receive(request: Request, runtime: Runtime) -> Upload:
    """Read the form and store its recording. Raises what UploadReceiver raises."""
    services = runtime.services
    receiver = UploadReceiver(
        services.storage,
        limit=services.settings.max_upload_bytes,
        timeout_s=services.settings.upload_timeout_s,
        head_bytes=services.audio.head_bytes,
    )
    return await receiver.receive(request)


def checked_key(request: Request) -> str | None:
    """What the request's `Idempotency-Key` holds, if it has one. Raises IdempotencyKeyInvalid."""
    keys = request.headers.getlist(KEY_HEADER)
    if not keys:
        return None
    key = keys[0]
    if len(keys) > 1 or not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise IdempotencyKeyInvalid(f"{KEY_HEADER} takes 1 to {LONGEST_KEY} printable ASCII characters")
    return key


def _take_in(upload: Upload, key: str | None, runtime: Runtime) -> Accepted:
    """Queue the call, or find what its id or its key stands for; a recording that is not needed goes."""
    services = runtime.services
    needed = False
    try:
        call = _checked_call(upload, runtime)
        accepted = services.calls.accept(call, _request_key(key, upload, call))
        needed = accepted.intake is Intake.STARTED
    except DatabaseUnavailable as error:
        needed = error.commit_unknown
        raise
    finally:
        if upload.audio is not None and not needed:
            services.storage.delete(upload.audio.key)
    if needed:
        runtime.bell.ring(accepted.call_id, call.queue)
    return accepted


def _checked_call(upload: Upload, runtime: Runtime) -> NewCall:
    """The call that an upload describes."""
    form = _form(upload.fields)
    runtime.services.webhooks.check_call_url(form.webhook_url)
    runtime.services.library.check(form.playbook)
    if upload.audio is None:
        raise EmptyAudio("the field 'audio' is missing or empty")
    runtime.services.audio.check(upload.head, upload.audio.size)
    runtime.check_engines(form.language)
    return _new_call(form, upload.audio)


def _request_key(key: str | None, upload: Upload, call: NewCall) -> RequestKey | None:
    """The key together with what it was sent with: every field, and every byte of the recording."""
    if key is None:
        return None
    fields = json.dumps([call.audio_sha256, sorted(upload.fields.items())])
    return RequestKey(key, sha256(fields.encode()).hexdigest())


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
        team_id=form.team_id,
        customer_id=form.customer_id,
        options=form.options,
        started_at=form.started_at,
        direction=form.direction,
        metadata=form.metadata,
        webhook_url=form.webhook_url,
        priority=form.priority or 0,
    )
