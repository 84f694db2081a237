"""Reels: moments of one call (POST /replay) or of several (POST /reels), as sound and as a list of cues."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from app.api.accept import preferred
from app.api.byte_ranges import Served, file_name, ranged
from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.api.examples import REEL
from app.api.recordings import PARTS
from app.schemas.reel import Reel
from app.schemas.reel_models import ReelModel, ReelRequest, ReplayRequest
from app.services.bootstrap import Services
from app.services.reel.cue_list import to_vtt

router = APIRouter(tags=["speech"])

ReelIdPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["3f0c9be27a55e1c3aa4f1c0d9be27a55"])]


class ReelFormat(StrEnum):
    MP3 = "mp3"
    JSON = "json"
    VTT = "vtt"


_MEDIA_TYPES = {
    ReelFormat.MP3: "audio/mpeg",
    ReelFormat.JSON: "application/json",
    ReelFormat.VTT: "text/vtt",
}
_HEADERS: dict[str, Any] = {
    "X-TTS-Engine": {"schema": {"type": "string"}, "description": "The engines that spoke, or `none`."},
    "X-Moments": {"schema": {"type": "integer"}},
    "X-Moments-Unspoken": {
        "schema": {"type": "integer"},
        "description": "How many of them lack speech, as no voice could be had for it.",
    },
    "Content-Location": {"schema": {"type": "string"}, "description": "Where this reel can be had again."},
}
_OK: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "An MP3 with a chapter for each moment; its cues as JSON; or WebVTT chapters.",
        "model": ReelModel,
        "content": {
            "audio/mpeg": {},
            "application/json": {"example": REEL},
            "text/vtt": {},
        },
        "headers": _HEADERS,
    },
}
_MADE = {**_OK, **problem_responses(401, 403, 404, 409, 410, 422, 500, 503, 507)}


@router.post(
    "/replay",
    summary="Hear the coachable moments of a call",
    response_class=Response,
    responses=_MADE,
)
def replay(wanted: ReplayRequest, request: Request, services: ServicesDep) -> Response:
    """A voice tells each moment in order (number, time, speaker, kind, the words, the coaching tip); or the
    recording itself is heard, with or without a narrator. All of it is equally loud (EBU R128, -16 LUFS).

    `Accept` chooses between the MP3 and the list of cues; the same request is rendered once. Speaks with
    local voices unless `ALLOW_EXTERNAL_ENGINES=true`. A line that no voice can be had for is left out and
    named in its cue.
    """
    reel = services.reels.replay(wanted.call_id, wanted.filters, wanted.wish)
    return _answer(reel, request, services, f"replay-{wanted.call_id}", disposition="attachment")


@router.post(
    "/reels",
    summary="Hear moments of several calls as one reel",
    response_class=Response,
    responses=_MADE,
)
def make_reel(wanted: ReelRequest, request: Request, services: ServicesDep) -> Response:
    """As `POST /replay`; chapters name the calls. Either `moments` names them in order, or filters find the
    100 of the highest confidence, oldest call first.

    A reel goes when one of its calls is deleted.
    """
    if wanted.moments:
        reel = services.reels.of_moments(wanted.refs, wanted.wish)
    else:
        reel = services.reels.of_calls(wanted.calls, wanted.filters, wanted.wish)
    return _answer(reel, request, services, f"reel-{reel.reel_id}", disposition="attachment")


@router.get(
    "/reels/{reel_id}",
    summary="A reel that was made before",
    response_class=Response,
    responses={**_OK, **PARTS, **problem_responses(401, 403, 404, 422, 500, 503)},
)
@router.head("/reels/{reel_id}", include_in_schema=False)
def read_reel(
    reel_id: ReelIdPath,
    request: Request,
    services: ServicesDep,
    wanted: Annotated[ReelFormat | None, Query(alias="format")] = None,
) -> Response:
    """For players: answers a `Range` of bytes. `format` decides, else the `Accept` header, else it is MP3.

    It is there until `REEL_CACHE_HOURS` are over, or a call of it is deleted or analysed anew
    (404 `reel_not_found`).
    """
    reel = services.reels.find(reel_id)
    return _answer(reel, request, services, f"reel-{reel_id}", disposition="inline", wanted=wanted)


def _answer(
    reel: Reel,
    request: Request,
    services: Services,
    name: str,
    *,
    disposition: str,
    wanted: ReelFormat | None = None,
) -> Response:
    chosen = wanted or preferred(request.headers.get("accept"), _MEDIA_TYPES) or ReelFormat.MP3
    headers = {
        "X-TTS-Engine": reel.engine or "none",
        "X-Moments": str(len(reel.cues)),
        "X-Moments-Unspoken": str(reel.unspoken),
        "Content-Location": f"/reels/{reel.reel_id}",
        "Vary": "Accept",
    }
    if chosen is ReelFormat.JSON:
        return JSONResponse(ReelModel.of(reel).model_dump(mode="json"), headers=headers)
    if chosen is ReelFormat.VTT:
        return PlainTextResponse(to_vtt(reel), headers=headers, media_type=_MEDIA_TYPES[chosen])
    safe_name = file_name(name, "mp3")
    headers["Content-Disposition"] = f'{disposition}; filename="{safe_name}"'
    served = Served(reel.audio_bytes, reel.audio_key, _MEDIA_TYPES[chosen], safe_name)
    return ranged(request, served, partial(services.reels.read, reel), headers)
