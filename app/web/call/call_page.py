"""`/ui/calls/{call_id}`: look at a call, hear it, judge it. And the work on it while that goes on."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api.calls import CallIdPath
from app.api.corrections import SegmentPath
from app.api.deps import ServicesDep
from app.core.exceptions import CallNotFound, CallNotReady
from app.services.bootstrap import Services
from app.web.addresses import CALLS, call_address
from app.web.call.head import failure_of, head_of, work_of
from app.web.call.review import call_rest, review_of
from app.web.contexts.call import CallPage, CallWorkOnly
from app.web.contexts.frame import Frame
from app.web.forms import HxRequest
from app.web.frame import FrameDep
from app.web.rendering import render

router = APIRouter(prefix=CALLS, include_in_schema=False)


@router.get("/{call_id}")
def show_call(
    call_id: CallIdPath,
    frame: FrameDep,
    services: ServicesDep,
    whole: bool = False,
    hx_request: HxRequest = False,
) -> Response:
    """``whole``: with all that was said. So it is, too, where a script puts it in the place of a page that
    was whole by then: nothing under a reader's eyes goes away."""
    return render(call_page(call_id, frame, services, whole=whole or hx_request))


@router.get("/{call_id}/rest/{segment}")
def show_rest(call_id: CallIdPath, segment: SegmentPath, frame: FrameDep, services: ServicesDep) -> Response:
    """What the page of a long call came without: all from this segment on."""
    stored = services.calls.read(call_id)
    if stored.analysis is None:
        raise CallNotReady(f"call {call_id} is {stored.record.status}")
    return render(call_rest(call_id, segment, stored, stored.analysis, frame))


@router.get("/{call_id}/work")
def show_work(
    call_id: CallIdPath, frame: FrameDep, services: ServicesDep, has_result: bool = False
) -> Response:
    """For a page that follows the work. Once it is done, the page is shown anew, unless it is being read."""
    try:
        record, position = services.calls.progress(call_id)
    except CallNotFound:
        return Response(media_type="text/html", headers={"HX-Redirect": "/"})
    work = work_of(record, position, has_result=has_result)
    if work.is_done and not has_result:
        return Response(media_type="text/html", headers={"HX-Redirect": call_address(call_id)})
    return render(CallWorkOnly(frame, work))


def call_page(call_id: str, frame: Frame, services: Services, *, whole: bool) -> CallPage:
    """Raises CallNotFound."""
    stored = services.calls.read(call_id)
    analysis, call = stored.analysis, stored.record
    review = None
    if analysis is not None:
        review = review_of(stored, analysis, services.comments.of_call(call_id), whole=whole)
    return CallPage(
        frame=frame,
        head=head_of(call, analysis),
        work=None
        if call.status.is_final
        else work_of(call, stored.queue_position, has_result=analysis is not None),
        failure=failure_of(call),
        review=review,
    )
