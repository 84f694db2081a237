"""POST /replay: a call's coachable moments, read out."""

from __future__ import annotations

from contextlib import ExitStack

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.schemas.requests import ReplayRequest

router = APIRouter(tags=["speech"])


@router.post(
    "/replay",
    summary="Hear the coachable moments of a call",
    response_class=FileResponse,
    responses={
        200: {
            "description": "One MP3; `X-TTS-Engine` names the engine that spoke, `X-Moments` their number.",
            "content": {"audio/mpeg": {}},
            "headers": {
                "X-TTS-Engine": {"schema": {"type": "string"}},
                "X-Moments": {"schema": {"type": "integer"}},
            },
        },
        **problem_responses(401, 403, 404, 409, 410, 422, 500, 503),
    },
)
def replay(request: ReplayRequest, services: ServicesDep) -> FileResponse:
    """Reads out each moment in order: number, time, speaker, kind, the words, the coaching tip.

    Speaks with local voices unless `ALLOW_EXTERNAL_ENGINES=true`.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(services.scratch.folder())
        rendered = services.replay.render(request.call_id, folder)
        remove = stack.pop_all()
    return FileResponse(
        rendered.path,
        media_type="audio/mpeg",
        filename=f"replay-{request.call_id.replace(':', '_')}.mp3",
        headers={"X-TTS-Engine": rendered.engine, "X-Moments": str(rendered.moments)},
        background=BackgroundTask(remove.close),
    )
