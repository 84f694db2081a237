"""What reviewers say at a time of a call."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from app.api.calls import CallIdPath
from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.api.examples import COMMENT
from app.schemas.comment_models import CallComments, CommentModel, CommentPatch, CommentRequest

router = APIRouter(prefix="/calls", tags=["calls"])

CommentIdPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=[COMMENT["id"]])]


@router.post(
    "/{call_id}/comments",
    summary="Comment on a time of a call",
    status_code=201,
    responses={
        201: {"content": {"application/json": {"example": COMMENT}}},
        **problem_responses(401, 403, 404, 409, 410, 422, 500, 503),
    },
)
def add_comment(call_id: CallIdPath, comment: CommentRequest, services: ServicesDep) -> CommentModel:
    """Comments stay when the call is analysed again; they go with its words, which they may quote.

    409 `call_not_ready` while nobody knows how long the recording is.
    """
    return CommentModel.of(services.comments.add(call_id, comment.time_seconds, comment.text, comment.author))


@router.get(
    "/{call_id}/comments",
    summary="List the comments on a call",
    responses={
        200: {"content": {"application/json": {"example": {"items": [COMMENT]}}}},
        **problem_responses(401, 403, 404, 422, 500, 503),
    },
)
def list_comments(call_id: CallIdPath, services: ServicesDep) -> CallComments:
    """In order of time; those at the same time, the older first."""
    return CallComments.of(services.comments.of_call(call_id))


@router.patch(
    "/{call_id}/comments/{comment_id}",
    summary="Change a comment",
    responses={
        200: {"content": {"application/json": {"example": COMMENT}}},
        **problem_responses(401, 403, 404, 409, 422, 500, 503),
    },
)
def change_comment(
    call_id: CallIdPath, comment_id: CommentIdPath, patch: CommentPatch, services: ServicesDep
) -> CommentModel:
    """Its time, its text or its author; what is left out stays as it is."""
    return CommentModel.of(services.comments.change(call_id, comment_id, patch.change))


@router.delete(
    "/{call_id}/comments/{comment_id}",
    summary="Delete a comment",
    status_code=204,
    response_class=Response,
    responses=problem_responses(401, 403, 404, 409, 422, 500, 503),
)
def delete_comment(call_id: CallIdPath, comment_id: CommentIdPath, services: ServicesDep) -> Response:
    """One on a call under legal hold stays (409 `legal_hold`)."""
    services.comments.remove(call_id, comment_id)
    return Response(status_code=204)
