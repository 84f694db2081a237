"""The work on a call once more: asked for on its page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from app.api.calls import CallIdPath
from app.api.deps import RuntimeDep, ServicesDep
from app.schemas.call import CallRecord
from app.schemas.requests import ReanalyzeRequest, RerunRequest
from app.services.call_service import RerunFrom
from app.web.addresses import CALLS, call_address
from app.web.call.head import has_audio, has_words
from app.web.contexts.base import Choice
from app.web.contexts.call import AgainForm, RunAgain
from app.web.forms import HxRequest, TextField, checked
from app.web.frame import FrameDep
from app.web.rendering import ask, see_other

router = APIRouter(prefix=CALLS, include_in_schema=False)

_STAGES = {
    RerunFrom.BROKEN: "the stage that failed, else the beginning",
    RerunFrom.TRANSCRIPTION: "the beginning: what is said",
    RerunFrom.DIARIZATION: "who speaks",
    RerunFrom.ANALYSIS: "what the words mean",
}


@router.get("/{call_id}/again")
def ask_how(
    call_id: CallIdPath, frame: FrameDep, services: ServicesDep, hx_request: HxRequest = False
) -> Response:
    stored = services.calls.read(call_id)
    call, analysis = stored.record, stored.analysis
    chosen = analysis.playbook if analysis else ""
    form = AgainForm(
        call_id=call_id,
        playbooks=tuple(
            Choice(one.name, one.name, one.name == chosen)
            for one in services.playbooks.all()
            if one.current is not None
        ),
        stages=tuple(Choice(stage, label, stage is RerunFrom.BROKEN) for stage, label in _STAGES.items()),
        has_result=analysis is not None,
        has_audio=has_audio(call),
        has_text=has_words(call),
    )
    return ask(RunAgain(frame, form), in_dialog=hx_request)


@router.post("/{call_id}/reanalyze")
def judge_again(call_id: CallIdPath, runtime: RuntimeDep, playbook: TextField = "") -> Response:
    runtime.check_open()
    asked = checked(ReanalyzeRequest, {"playbook": playbook or None})
    return _waits(runtime.services.reanalyses.queue(call_id, asked.playbook, asked.revision), runtime)


@router.post("/{call_id}/run")
def run_again(
    call_id: CallIdPath,
    runtime: RuntimeDep,
    start: Annotated[str, Form(alias="from")] = RerunFrom.BROKEN,
) -> Response:
    runtime.check_open()
    asked = checked(RerunRequest, {"from": start})
    return _waits(runtime.services.calls.rerun(call_id, RerunFrom(asked.start)), runtime)


def _waits(record: CallRecord, runtime: RuntimeDep) -> Response:
    runtime.announce(record)
    return see_other(call_address(record.call_id))
