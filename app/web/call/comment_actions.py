"""Comments at a time of a call, made on its page."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from app.api.calls import CallIdPath
from app.api.comments import CommentIdPath
from app.api.deps import ServicesDep
from app.core.exceptions import CommentNotFound, ValidationFailed
from app.schemas.comment_models import CommentPatch, CommentRequest
from app.services.bootstrap import Services
from app.web.addresses import CALLS, call_address
from app.web.call.review import comments_shown
from app.web.contexts.call_transcript import ChangeComment, CommentShown, CommentsOnly
from app.web.contexts.frame import Frame
from app.web.forms import HxRequest, TextField, checked
from app.web.frame import FrameDep
from app.web.rendering import ask, render, see_other

router = APIRouter(prefix=CALLS, include_in_schema=False)

COMMENTS = "comments"
_CLOCK = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6}(?:\.\d{1,3})?)")


def _fields(text: TextField, at: TextField, author: TextField = "") -> dict[str, Any]:
    return {"time_seconds": seconds_of(at), "text": text, "author": author or None}


FieldsDep = Annotated[dict[str, Any], Depends(_fields)]


@router.post("/{call_id}/comments")
def add_comment(
    call_id: CallIdPath,
    frame: FrameDep,
    services: ServicesDep,
    fields: FieldsDep,
    hx_request: HxRequest = False,
) -> Response:
    comment = checked(CommentRequest, fields)
    services.comments.add(call_id, comment.time_seconds, comment.text, comment.author)
    return _comments(call_id, frame, services, as_part=hx_request)


@router.get("/{call_id}/comments/{comment_id}")
def ask_to_change(
    call_id: CallIdPath,
    comment_id: CommentIdPath,
    frame: FrameDep,
    services: ServicesDep,
    hx_request: HxRequest = False,
) -> Response:
    comment = next((one for one in _shown(call_id, services) if one.id == comment_id), None)
    if comment is None:
        raise CommentNotFound(f"there is no comment {comment_id}")
    return ask(ChangeComment(frame, call_id, comment), in_dialog=hx_request)


@router.post("/{call_id}/comments/{comment_id}")
def change_comment(
    call_id: CallIdPath,
    comment_id: CommentIdPath,
    frame: FrameDep,
    services: ServicesDep,
    fields: FieldsDep,
    hx_request: HxRequest = False,
) -> Response:
    services.comments.change(call_id, comment_id, checked(CommentPatch, fields).change)
    return _comments(call_id, frame, services, as_part=hx_request)


@router.post("/{call_id}/comments/{comment_id}/delete")
def delete_comment(
    call_id: CallIdPath,
    comment_id: CommentIdPath,
    frame: FrameDep,
    services: ServicesDep,
    hx_request: HxRequest = False,
) -> Response:
    services.comments.remove(call_id, comment_id)
    return _comments(call_id, frame, services, as_part=hx_request)


def seconds_of(clock: str) -> float:
    """`12:40`, `1:02:03` or `760.5` in seconds. Raises ValidationFailed."""
    found = _CLOCK.fullmatch(clock.strip())
    if found is None:
        raise ValidationFailed.of("at", "must be a time such as 12:40")
    hours, minutes, seconds = found.groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _comments(call_id: str, frame: Frame, services: Services, *, as_part: bool) -> Response:
    if as_part:
        return render(CommentsOnly(frame, call_id, _shown(call_id, services)))
    return see_other(call_address(call_id, COMMENTS))


def _shown(call_id: str, services: Services) -> tuple[CommentShown, ...]:
    duration_s = services.calls.record(call_id).duration_s or 0.0
    return comments_shown(services.comments.of_call(call_id), duration_s)
