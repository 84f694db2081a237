"""What the library of clips does: change and delete. Each has its JSON route, too."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Response

from app.api.clips import ClipIdPath
from app.api.deps import ServicesDep
from app.core.clock import utc_now
from app.schemas.clip import ConsentState, KeptClip
from app.schemas.clip_models import ClipPatch
from app.services.bootstrap import Services
from app.web.addresses import CLIPS, local_or_home
from app.web.contexts.base import Choice
from app.web.contexts.clips import ClipForm, DeleteClip, EditClip
from app.web.forms import HxRequest, NextField, NextQuery, TextField, checked
from app.web.frame import FrameDep
from app.web.rendering import ask, see_other

StateField = Annotated[ConsentState, Form(alias="consent")]
CONSENT = {
    ConsentState.UNKNOWN: "Not known: the clip goes when the time of its call is over",
    ConsentState.RECORDED: "Recorded: the clip stays until it or its call is deleted",
    ConsentState.DECLINED: "Declined: the clip is deleted at once",
}
router = APIRouter(prefix=CLIPS, include_in_schema=False)


@router.get("/{clip_id}/edit")
def ask_to_edit(
    clip_id: ClipIdPath,
    frame: FrameDep,
    services: ServicesDep,
    next_address: NextQuery = CLIPS,
    hx_request: HxRequest = False,
) -> Response:
    form = _form(services, services.clips.get(clip_id))
    return ask(EditClip(frame, clip_id, form, local_or_home(next_address)), in_dialog=hx_request)


@router.post("/{clip_id}")
def edit_clip(
    clip_id: ClipIdPath,
    services: ServicesDep,
    title: TextField,
    folder: TextField = "",
    note: TextField = "",
    state: StateField = ConsentState.UNKNOWN,
    recorded_by: TextField = "",
    next_address: NextField = CLIPS,
) -> Response:
    """All that the form shows is as it says; consent that is declined removes the clip."""
    earlier = services.clips.get(clip_id)
    wanted = {
        "title": title,
        "folder": folder.strip() or None,
        "note": note.strip() or None,
        "consent": _consent(state, recorded_by, earlier),
    }
    services.clips.change(clip_id, checked(ClipPatch, wanted).change)
    return see_other(local_or_home(next_address))


@router.get("/{clip_id}/delete")
def ask_to_delete(
    clip_id: ClipIdPath,
    frame: FrameDep,
    services: ServicesDep,
    next_address: NextQuery = CLIPS,
    hx_request: HxRequest = False,
) -> Response:
    clip = services.clips.get(clip_id)
    question = DeleteClip(frame, clip_id, clip.title, clip.call_id, local_or_home(next_address))
    return ask(question, in_dialog=hx_request)


@router.post("/{clip_id}/delete")
def delete_clip(clip_id: ClipIdPath, services: ServicesDep, next_address: NextField = CLIPS) -> Response:
    services.clips.remove(clip_id)
    return see_other(local_or_home(next_address))


def _form(services: Services, clip: KeptClip) -> ClipForm:
    chosen = clip.consent.state
    return ClipForm(
        title=clip.title,
        folder=clip.folder or "",
        note=clip.note or "",
        folders=tuple(one.folder for one in services.clips.folders() if one.folder is not None),
        consents=tuple(Choice(state, words, state is chosen) for state, words in CONSENT.items()),
        recorded_by=clip.consent.recorded_by or "",
    )


def _consent(state: ConsentState, recorded_by: str, earlier: KeptClip) -> dict[str, Any]:
    """Consent that was recorded before keeps its time."""
    if state is not ConsentState.RECORDED:
        return {"state": state}
    was_recorded = earlier.consent.state is ConsentState.RECORDED
    recorded_at = earlier.consent.recorded_at if was_recorded else utc_now()
    return {"state": state, "recorded_by": recorded_by.strip() or None, "recorded_at": recorded_at}
