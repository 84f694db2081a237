"""Verdicts on moments, passed on the call's page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from app.api.calls import CallIdPath
from app.api.deps import ServicesDep
from app.api.reviews import MomentIdPath
from app.schemas.review_models import ReviewRequest
from app.web.addresses import CALLS, call_address
from app.web.call.beginning import comes_later
from app.web.call.moments import review_form
from app.web.call.one_moment import moment_only
from app.web.contexts.call_moments import ReviewMoment
from app.web.forms import HxRequest, TextField, checked
from app.web.frame import FrameDep
from app.web.rendering import ask, render, see_other

TAKEN_BACK = "none"

router = APIRouter(prefix=CALLS, include_in_schema=False)


@router.get("/{call_id}/moments/{moment_id}/review")
def ask_verdict(
    call_id: CallIdPath,
    moment_id: MomentIdPath,
    frame: FrameDep,
    services: ServicesDep,
    hx_request: HxRequest = False,
) -> Response:
    form = review_form(moment_only(call_id, moment_id, frame, services).moment)
    return ask(ReviewMoment(frame, call_id, form), in_dialog=hx_request)


@router.post("/{call_id}/moments/{moment_id}/review")
def pass_verdict(
    call_id: CallIdPath,
    moment_id: MomentIdPath,
    frame: FrameDep,
    services: ServicesDep,
    verdict: TextField,
    kind: Annotated[str, Form(alias="type")] = "",
    subtype: TextField = "",
    note: TextField = "",
    says_note: Annotated[bool, Form()] = False,
    hx_request: HxRequest = False,
) -> Response:
    """``says_note``: the form shows the note; without it, the one that is there is kept."""
    before = moment_only(call_id, moment_id, frame, services).moment
    if verdict == TAKEN_BACK:
        services.reviews.withdraw(call_id, moment_id)
    else:
        # A form sends all its fields: what goes with another verdict is left out, not refused.
        is_other = verdict == "other"
        kept = before.verdict.note if before.verdict else None
        values = {
            "verdict": verdict,
            "type": (kind or None) if is_other else None,
            "subtype": (subtype or None) if is_other and kind == "objection" else None,
            "note": note if says_note else kept,
        }
        services.reviews.review(call_id, moment_id, checked(ReviewRequest, values).opinion)
    if hx_request:
        return render(moment_only(call_id, moment_id, frame, services))
    return see_other(call_address(call_id, moment_id, whole=comes_later(before.segment)))
