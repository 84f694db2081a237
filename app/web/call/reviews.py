"""Verdicts on moments, passed on the call's page. `POST /calls/{call_id}/moments/{moment_id}/review` for people."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from app.api.calls import CallIdPath
from app.api.deps import ServicesDep
from app.api.reviews import MomentIdPath
from app.core.exceptions import CallNotReady, MomentNotFound
from app.schemas.review_models import ReviewRequest
from app.services.bootstrap import Services
from app.services.exports.labels import speaker_labels
from app.web.call.answers import HxRequest, checked, to_call
from app.web.call.head import has_audio, has_words
from app.web.call.moments import moments_shown, review_form
from app.web.contexts.call_moments import MomentOnly, MomentShown, ReviewPage, ReviewQuestion
from app.web.contexts.frame import Frame
from app.web.frame import FrameDep
from app.web.rendering import render

TAKEN_BACK = "none"

router = APIRouter(prefix="/ui/calls", include_in_schema=False)


@router.get("/{call_id}/moments/{moment_id}/review")
def ask_verdict(
    call_id: CallIdPath,
    moment_id: MomentIdPath,
    frame: FrameDep,
    services: ServicesDep,
    hx_request: HxRequest = False,
) -> Response:
    form = review_form(_shown(call_id, moment_id, frame, services).moment)
    return render((ReviewQuestion if hx_request else ReviewPage)(frame, call_id, form))


@router.post("/{call_id}/moments/{moment_id}/review")
def pass_verdict(
    call_id: CallIdPath,
    moment_id: MomentIdPath,
    frame: FrameDep,
    services: ServicesDep,
    verdict: Annotated[str, Form()],
    kind: Annotated[str, Form(alias="type")] = "",
    subtype: Annotated[str, Form()] = "",
    note: Annotated[str | None, Form()] = None,
    hx_request: HxRequest = False,
) -> Response:
    """Right and wrong keep the note that is there, unless one is sent with them."""
    before = _shown(call_id, moment_id, frame, services).moment
    if verdict == TAKEN_BACK:
        services.reviews.withdraw(call_id, moment_id)
    else:
        # A form sends all its fields: what goes with another verdict is left out, not refused.
        is_other = verdict == "other"
        kept = before.verdict.note if before.verdict else None
        values: dict[str, object] = {
            "verdict": verdict,
            "type": (kind or None) if is_other else None,
            "subtype": (subtype or None) if is_other and kind == "objection" else None,
            "note": kept if note is None else note,
        }
        services.reviews.review(call_id, moment_id, checked(ReviewRequest, values).opinion)
    if hx_request:
        return render(_shown(call_id, moment_id, frame, services))
    return to_call(call_id, moment_id)


def _shown(call_id: str, moment_id: str, frame: Frame, services: Services) -> MomentOnly:
    """Raises CallNotFound, CallNotReady and MomentNotFound."""
    stored = services.calls.read(call_id)
    if stored.analysis is None:
        raise CallNotReady(f"call {call_id} is {stored.record.status}")
    labels = speaker_labels(stored.analysis.speakers)
    moments = moments_shown(stored.analysis, labels, stored.reviews)
    found: MomentShown | None = next((one for one in moments if one.id == moment_id), None)
    if found is None:
        raise MomentNotFound(f"the result of call {call_id} has no moment {moment_id}")
    return MomentOnly(frame, call_id, found, has_words(stored.record), has_audio(stored.record))
