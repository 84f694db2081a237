"""A moment of the call's page into the library of clips: `POST /clips` for people."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api.calls import CallIdPath
from app.api.deps import ServicesDep
from app.api.reviews import MomentIdPath
from app.core.clock import utc_now
from app.schemas.clip import ConsentState
from app.schemas.clip_models import ClipRequest
from app.web.addresses import CALLS, call_address
from app.web.call.beginning import comes_later
from app.web.call.one_moment import moment_only
from app.web.contexts.call_moments import ClipKept, KeepClip, KeepClipForm
from app.web.forms import HxRequest, TextField, checked
from app.web.frame import FrameDep
from app.web.rendering import ask, render, see_other

router = APIRouter(prefix=CALLS, include_in_schema=False)


@router.get("/{call_id}/moments/{moment_id}/clip")
def ask_about_clip(
    call_id: CallIdPath,
    moment_id: MomentIdPath,
    frame: FrameDep,
    services: ServicesDep,
    hx_request: HxRequest = False,
) -> Response:
    folders = tuple(one.folder for one in services.clips.folders() if one.folder is not None)
    form = KeepClipForm(moment_only(call_id, moment_id, frame, services).moment, folders)
    return ask(KeepClip(frame, call_id, form), in_dialog=hx_request)


@router.post("/{call_id}/moments/{moment_id}/clip")
def keep_clip(
    call_id: CallIdPath,
    moment_id: MomentIdPath,
    frame: FrameDep,
    services: ServicesDep,
    folder: TextField = "",
    title: TextField = "",
    note: TextField = "",
    consent: TextField = "",
    recorded_by: TextField = "",
    hx_request: HxRequest = False,
) -> Response:
    """``consent`` is ticked where those who are heard agreed."""
    given = {
        "state": ConsentState.RECORDED,
        "recorded_by": recorded_by.strip() or None,
        "recorded_at": utc_now(),
    }
    values = {
        "call_id": call_id,
        "moment_id": moment_id,
        "folder": folder.strip() or None,
        "title": title.strip() or None,
        "note": note.strip() or None,
        "consent": given if consent else {},
    }
    clip = services.clips.create(checked(ClipRequest, values).new)
    if hx_request:
        return render(ClipKept(clip.title, clip.folder))
    moment = moment_only(call_id, moment_id, frame, services).moment
    return see_other(call_address(call_id, moment_id, whole=comes_later(moment.segment)))
