"""The recording of a call, and the clips of its moments, for players."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.byte_ranges import Served, file_name, ranged
from app.api.calls import CallIdPath
from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.api.reviews import MomentIdPath
from app.schemas.reel import MomentRef, ReelSource, ReelWish
from app.services.recording_service import MEDIA_TYPES, UNKNOWN_TYPE

router = APIRouter(prefix="/calls", tags=["calls"])

PARTS: dict[int | str, dict[str, Any]] = {
    206: {"description": "The bytes that `Range` asks for."},
    304: {"description": "What `If-None-Match` names is still so."},
    **problem_responses(416),
}


@router.get(
    "/{call_id}/audio",
    summary="The recording as it was sent",
    response_class=Response,
    responses={
        200: {
            "description": "All of it, in the type that its bytes are.",
            "content": {media_type: {} for media_type in (*MEDIA_TYPES.values(), UNKNOWN_TYPE)},
        },
        **PARTS,
        **problem_responses(401, 403, 404, 410, 422, 500, 503),
    },
)
@router.head("/{call_id}/audio", include_in_schema=False)
def read_audio(call_id: CallIdPath, request: Request, services: ServicesDep) -> Response:
    """One `Range` of bytes is answered with 206, so that players can seek; several at once, with all of it.

    Where the recording was removed when its time was over, the answer is 410 `audio_deleted`.
    """
    recording = services.recordings.find(call_id)
    name = file_name(call_id, recording.suffix)
    served = Served(recording.size, recording.sha256, recording.media_type, name)
    return ranged(request, served, partial(services.recordings.read, recording))


@router.get(
    "/{call_id}/moments/{moment_id}/clip",
    summary="Hear a moment in the recording",
    response_class=Response,
    responses={
        200: {
            "description": "MP3; `X-Clip-Start` and `X-Clip-End` are seconds of the recording.",
            "content": {"audio/mpeg": {}},
            "headers": {
                "X-Clip-Start": {"schema": {"type": "number"}},
                "X-Clip-End": {"schema": {"type": "number"}},
            },
        },
        **PARTS,
        **problem_responses(401, 403, 404, 409, 410, 422, 500, 503, 507),
    },
)
@router.head("/{call_id}/moments/{moment_id}/clip", include_in_schema=False)
def read_clip(
    call_id: CallIdPath, moment_id: MomentIdPath, request: Request, services: ServicesDep
) -> Response:
    """The words of the moment with some of what was said around them, half a minute at most.

    No word at its edges is cut, and it is as loud as every other clip (EBU R128, -16 LUFS).
    """
    reel = services.reels.of_moments([MomentRef(call_id, moment_id)], ReelWish(ReelSource.ORIGINAL))
    (cue,) = reel.cues
    name = file_name(f"{call_id}-{moment_id}", "mp3")
    times = {"X-Clip-Start": f"{cue.call_start_s:.3f}", "X-Clip-End": f"{cue.call_end_s:.3f}"}
    served = Served(reel.audio_bytes, reel.audio_key, "audio/mpeg", name)
    return ranged(request, served, partial(services.reels.read, reel), times)
