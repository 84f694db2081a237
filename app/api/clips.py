"""The library of clips: kept, listed, changed, heard, removed."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.api.byte_ranges import Served, file_name, ranged
from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.api.recordings import PARTS
from app.schemas.clip_models import CLIP, ClipFolders, ClipModel, ClipPage, ClipPatch, ClipQuery, ClipRequest

router = APIRouter(prefix="/clips", tags=["clips"])

ClipIdPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=[CLIP["clip_id"]])]


@router.post(
    "",
    summary="Keep a clip of a call",
    status_code=201,
    responses={
        201: {"content": {"application/json": {"example": CLIP}}},
        **problem_responses(401, 403, 404, 409, 410, 422, 500, 503, 507),
    },
)
def keep_clip(clip: ClipRequest, services: ServicesDep) -> ClipModel:
    """A moment, with what was said around it and no word cut at its edges, or any stretch of the recording.

    The clip has its own copy of the sound and of the words. It goes with its call (`DELETE`), and, unless
    consent is recorded, once `AUDIO_RETENTION_DAYS` or `TEXT_RETENTION_DAYS` took the call's recording or
    words. Where consent is `declined` it is refused (409 `consent_declined`).
    """
    return ClipModel.of(services.clips.create(clip.new))


@router.get(
    "",
    summary="List clips, newest first",
    responses={
        200: {"content": {"application/json": {"example": {"items": [CLIP], "next_cursor": None}}}},
        **problem_responses(401, 403, 422, 500, 503),
    },
)
def list_clips(services: ServicesDep, query: Annotated[ClipQuery, Query()]) -> ClipPage:
    """A page of clips. Clips that are made while you page through are neither skipped nor shown twice."""
    items, next_cursor = services.clips.page(query.filters, query.limit, query.cursor)
    return ClipPage(items=[ClipModel.of(clip) for clip in items], next_cursor=next_cursor)


@router.get(
    "/folders",
    summary="List the folders of clips",
    responses={
        200: {
            "content": {"application/json": {"example": {"items": [{"folder": CLIP["folder"], "clips": 3}]}}}
        },
        **problem_responses(401, 403, 500, 503),
    },
)
def list_folders(services: ServicesDep) -> ClipFolders:
    """A folder is there while a clip lies in it."""
    return ClipFolders(items=list(services.clips.folders()))


@router.get(
    "/{clip_id}",
    summary="Read a clip",
    responses={
        200: {"content": {"application/json": {"example": CLIP}}},
        **problem_responses(401, 403, 404, 422, 500, 503),
    },
)
def read_clip(clip_id: ClipIdPath, services: ServicesDep) -> ClipModel:
    """What the clip is of, its words and its consent."""
    return ClipModel.of(services.clips.get(clip_id))


@router.patch(
    "/{clip_id}",
    summary="Change a clip",
    response_model=ClipModel,
    responses={
        200: {"content": {"application/json": {"example": CLIP}}},
        204: {"description": "Consent was declined: the clip is removed."},
        **problem_responses(401, 403, 404, 409, 422, 500, 503),
    },
)
def change_clip(clip_id: ClipIdPath, patch: ClipPatch, services: ServicesDep) -> ClipModel | Response:
    """Its folder, title, note or consent; what is left out stays as it is.

    Consent that is `declined` removes the clip with its sound at once (204), unless its call is under legal
    hold (409 `legal_hold`).
    """
    changed = services.clips.change(clip_id, patch.change)
    return Response(status_code=204) if changed is None else ClipModel.of(changed)


@router.delete(
    "/{clip_id}",
    summary="Delete a clip with its sound",
    status_code=204,
    response_class=Response,
    responses=problem_responses(401, 403, 404, 409, 422, 500, 503),
)
def delete_clip(clip_id: ClipIdPath, services: ServicesDep) -> Response:
    """A clip of a call under legal hold stays (409 `legal_hold`)."""
    services.clips.remove(clip_id)
    return Response(status_code=204)


@router.get(
    "/{clip_id}/audio",
    summary="Hear a clip",
    response_class=Response,
    responses={
        200: {"description": "All of it.", "content": {"audio/mpeg": {}}},
        **PARTS,
        **problem_responses(401, 403, 404, 422, 500, 503),
    },
)
@router.head("/{clip_id}/audio", include_in_schema=False)
def read_clip_audio(clip_id: ClipIdPath, request: Request, services: ServicesDep) -> Response:
    """One `Range` of bytes is answered with 206, so that players can seek; several, with all of it."""
    clip = services.clips.get(clip_id)
    served = Served(clip.audio_bytes, clip.audio_sha256, "audio/mpeg", file_name(clip.id, "mp3"))
    return ranged(request, served, partial(services.clips.read, clip))
