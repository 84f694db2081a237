"""What the list of calls does: take recordings in, repeat, cancel, delete. Each has its JSON route, too."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.api.accept import preferred
from app.api.calls import CallIdPath
from app.api.deps import RuntimeDep, ServicesDep
from app.api.form_token import FIELD
from app.api.intake import take_in, take_in_file
from app.core.exceptions import CallNotFound
from app.schemas.state_models import CallState
from app.services.call_service import RerunFrom
from app.web.addresses import HOME, call_address, local_or_home
from app.web.calls.call_lines import line_of
from app.web.calls.first_call import DEMO_CALL, upload_form
from app.web.contexts.calls import CallLineOnly, DeleteCall, UploadPage
from app.web.contexts.frame import Frame
from app.web.forms import HxRequest, NextField, NextQuery
from app.web.frame import FrameDep
from app.web.rendering import ask, render, see_other

DEMO_FIELDS = {"call_id": "DEMO-001", "agent_id": "daniel", "customer_id": "maria", "language": "en"}

router = APIRouter(prefix="/ui", include_in_schema=False)


@router.get("/upload")
def show_upload(frame: FrameDep, services: ServicesDep) -> Response:
    return render(UploadPage(frame, upload_form(services.settings)))


@router.post("/calls")
async def upload_call(request: Request, runtime: RuntimeDep) -> Response:
    """`POST /calls` for the page's form: on to the list, or to a script the call's state."""
    accepted = await take_in(request, runtime, apart=frozenset((FIELD,)), keeps_file_name=True)
    offered = {"page": "text/html", "json": "application/json"}
    if preferred(request.headers.get("accept"), offered) != "json":
        return see_other(HOME)
    state = CallState.of(accepted.record, accepted.queue_position)
    return JSONResponse(state.model_dump(mode="json"), HTTPStatus.ACCEPTED)


@router.post("/demo")
def send_demo_call(runtime: RuntimeDep) -> Response:
    """Takes in the demo call; once it is there, nothing more happens."""
    if not DEMO_CALL.is_file():
        raise CallNotFound("the demo call is not part of this installation")
    take_in_file(DEMO_CALL, DEMO_FIELDS, runtime)
    return see_other(HOME)


@router.post("/calls/{call_id}/rerun")
def rerun_call(
    call_id: CallIdPath,
    frame: FrameDep,
    runtime: RuntimeDep,
    next_address: NextField = HOME,
    hx_request: HxRequest = False,
) -> Response:
    """Begins with the stage that failed."""
    runtime.check_open()
    runtime.announce(runtime.services.calls.rerun(call_id, RerunFrom.BROKEN))
    return _line_or_list(call_id, frame, runtime, next_address, as_line=hx_request)


@router.post("/calls/{call_id}/cancel")
def cancel_call(
    call_id: CallIdPath,
    frame: FrameDep,
    runtime: RuntimeDep,
    next_address: NextField = HOME,
    hx_request: HxRequest = False,
) -> Response:
    runtime.services.calls.cancel(call_id)
    runtime.watch.nudge()
    return _line_or_list(call_id, frame, runtime, next_address, as_line=hx_request)


@router.get("/calls/{call_id}/delete")
def ask_to_delete(
    call_id: CallIdPath,
    frame: FrameDep,
    services: ServicesDep,
    next_address: NextQuery = HOME,
    hx_request: HxRequest = False,
) -> Response:
    call = services.calls.record(call_id)
    question = DeleteCall(
        frame=frame,
        call_id=call.call_id,
        file_name=call.file_name,
        agent_id=call.agent_id,
        customer_id=call.customer_id,
        held_at=call.started_at or call.created_at,
        is_held=call.legal_hold,
        next_address=local_or_home(next_address),
    )
    return ask(question, in_dialog=hx_request)


@router.post("/calls/{call_id}/delete")
def delete_call(call_id: CallIdPath, services: ServicesDep, next_address: NextField = HOME) -> Response:
    services.calls.delete(call_id)
    address = local_or_home(next_address)
    return see_other(HOME if urlsplit(address).path == call_address(call_id) else address)


def _line_or_list(
    call_id: str, frame: Frame, runtime: RuntimeDep, next_address: str, *, as_line: bool
) -> Response:
    if as_line:
        return render(CallLineOnly(frame, line_of(runtime.services.calls.summary(call_id))))
    return see_other(local_or_home(next_address))
