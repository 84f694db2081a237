"""The waveform of a call."""

from __future__ import annotations

from hashlib import sha256

from fastapi import APIRouter, Request, Response

from app.api.byte_ranges import names_tag
from app.api.calls import CallIdPath
from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.schemas.waveform_models import WaveformModel

router = APIRouter(prefix="/calls", tags=["calls"])


@router.get(
    "/{call_id}/waveform",
    summary="How loud each party is from moment to moment",
    response_model=WaveformModel,
    responses={
        304: {"description": "What `If-None-Match` names is still so."},
        **problem_responses(401, 403, 404, 409, 410, 422, 500, 503),
    },
)
def read_waveform(call_id: CallIdPath, request: Request, services: ServicesDep) -> Response:
    """Peaks of each party and the silences, to draw a waveform by.

    A party with a channel of its own is shown as that channel is, others as the recording is while they
    speak. Peaks are made when a call is analysed and kept until it is deleted; those of older calls when they
    are first asked for, which takes as long as decoding the recording does (410 `audio_deleted` where that is
    gone).
    """
    body = WaveformModel.of(services.waveforms.read(call_id)).model_dump_json().encode()
    tag = sha256(body).hexdigest()[:32]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    if names_tag(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
