"""Whose call it is, said anew on its page."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api.calls import CallIdPath
from app.api.deps import ServicesDep
from app.schemas.requests import CallPatch
from app.web.addresses import CALLS, call_address
from app.web.contexts.call import ChangeParties
from app.web.forms import HxRequest, TextField, checked
from app.web.frame import FrameDep
from app.web.rendering import ask, see_other

router = APIRouter(prefix=CALLS, include_in_schema=False)


@router.get("/{call_id}/parties")
def ask_for_parties(
    call_id: CallIdPath, frame: FrameDep, services: ServicesDep, hx_request: HxRequest = False
) -> Response:
    call = services.calls.record(call_id)
    question = ChangeParties(frame, call.call_id, call.agent_id, call.team_id, call.customer_id)
    return ask(question, in_dialog=hx_request)


@router.post("/{call_id}/parties")
def change_parties(
    call_id: CallIdPath,
    services: ServicesDep,
    agent_id: TextField = "",
    team_id: TextField = "",
    customer_id: TextField = "",
) -> Response:
    """An empty field: nobody is known."""
    asked = {"agent_id": agent_id, "team_id": team_id, "customer_id": customer_id}
    patch = checked(CallPatch, {name: value.strip() or None for name, value in asked.items()})
    services.calls.assign(call_id, patch.parties)
    return see_other(call_address(call_id))
