"""POST /speak: text in, audio out."""

from __future__ import annotations

from contextlib import ExitStack

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.core.exceptions import ValidationFailed
from app.schemas.requests import SpeakRequest

router = APIRouter(tags=["speech"])

SCOPE = "speak"
"""What spoken texts are kept under: they belong to no call."""
MEDIA_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav"}


@router.post(
    "/speak",
    summary="Turn text into speech",
    response_class=FileResponse,
    responses={
        200: {
            "description": "The audio file; `X-TTS-Engine` names the engine that spoke.",
            "content": {"audio/mpeg": {}, "audio/wav": {}},
            "headers": {"X-TTS-Engine": {"schema": {"type": "string"}}},
        },
        **problem_responses(401, 403, 413, 422, 500, 503),
    },
)
def speak(request: SpeakRequest, services: ServicesDep) -> FileResponse:
    """Speaks with the first usable engine of `TTS_PROVIDER`.

    That chain may begin with an engine that needs the internet and gets the text (`gtts`); name only local
    engines there when no text may leave the machine.
    """
    limit = services.settings.max_tts_chars
    if len(request.text) > limit:
        message = f"may have at most {limit} characters"
        raise ValidationFailed.of("text", message)
    with ExitStack() as stack:
        folder = stack.enter_context(services.scratch.folder())
        spoken = services.tts.speak(
            request.text, request.language, request.format, folder, external=True, scope=SCOPE
        )
        remove = stack.pop_all()
    return FileResponse(
        spoken.path,
        media_type=MEDIA_TYPES[request.format],
        filename=f"speech.{request.format}",
        headers={"X-TTS-Engine": spoken.engine_label},
        background=BackgroundTask(remove.close),
    )
