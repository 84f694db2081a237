"""The reel of a call, made on its page: `POST /replay` for people."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from app.api.calls import CallIdPath
from app.api.deps import ServicesDep
from app.api.reels import ReelIdPath
from app.core.exceptions import ReelNotFound
from app.schemas.analysis import Analysis
from app.schemas.moment import MomentType, TimedMomentType
from app.schemas.reel import Cue, Reel, ReelSource
from app.schemas.reel_models import ReplayRequest
from app.schemas.speaker import Role
from app.web.addresses import CALLS, call_address
from app.web.contexts.base import Choice
from app.web.contexts.call_reel import ChapterShown, ReelForm, ReelOnly, ReelPage, ReelShown
from app.web.formatting import spelled
from app.web.forms import HxRequest, TextField, checked
from app.web.frame import FrameDep
from app.web.reel_sources import SOURCES
from app.web.rendering import render, see_other

_LENGTHS_S = {"": "all that there is", "60": "1 minute", "180": "3 minutes", "300": "5 minutes"}
_USUAL_LENGTH = "180"

router = APIRouter(prefix=CALLS, include_in_schema=False)


@router.post("/{call_id}/reel")
def make_reel(
    call_id: CallIdPath,
    services: ServicesDep,
    source: TextField = ReelSource.NARRATED,
    types: Annotated[list[str] | None, Form()] = None,
    role: TextField = "",
    max_seconds: TextField = "",
    hx_request: HxRequest = False,
) -> Response:
    values = {
        "call_id": call_id,
        "source": source,
        "types": tuple(types or ()),
        "role": role or None,
        "max_seconds": max_seconds or None,
    }
    wanted = checked(ReplayRequest, values)
    reel = services.reels.replay(call_id, wanted.filters, wanted.wish)
    if hx_request:
        return render(ReelOnly(call_id, reel_shown(reel)))
    return see_other(f"{call_address(call_id)}/reel/{reel.reel_id}")


@router.get("/{call_id}/reel/{reel_id}")
def show_reel(call_id: CallIdPath, reel_id: ReelIdPath, frame: FrameDep, services: ServicesDep) -> Response:
    reel = services.reels.find(reel_id)
    if call_id not in reel.call_ids:
        raise ReelNotFound(f"call {call_id} has no reel {reel_id}")
    return render(ReelPage(frame, call_id, reel_shown(reel)))


def reel_shown(reel: Reel) -> ReelShown:
    chapters = tuple(_chapter(cue) for cue in reel.cues)
    return ReelShown(reel.reel_id, reel.duration_s, reel.engine, chapters)


def reel_form(analysis: Analysis, *, has_audio: bool) -> ReelForm:
    there = {moment.type for moment in analysis.moments}
    sources = [one for one in SOURCES if has_audio or not one.needs_recording]
    return ReelForm(
        sources=tuple(Choice(one, SOURCES[one], one is sources[0]) for one in sources),
        kinds=tuple(
            Choice(kind, spelled(kind), False) for kind in (*MomentType, *TimedMomentType) if kind in there
        ),
        roles=tuple(Choice(role, spelled(role), False) for role in (Role.AGENT, Role.CUSTOMER)),
        lengths=tuple(Choice(one, label, one == _USUAL_LENGTH) for one, label in _LENGTHS_S.items()),
    )


def _chapter(cue: Cue) -> ChapterShown:
    return ChapterShown(
        cue.moment_id, cue.type, cue.subtype, cue.title, cue.start_s, cue.call_start_s, cue.unspoken
    )
