"""The work on a call: cancel it, do it again, or only what needs no recording."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Response

from app.api.calls import CallIdPath
from app.api.deps import RuntimeDep
from app.api.errors import problem_responses
from app.api.examples import LOCATION
from app.schemas.call import CallRecord
from app.schemas.requests import ReanalyzeRequest, RerunRequest
from app.schemas.state_models import CallState
from app.services.call_service import RerunFrom
from app.workers.runtime import Runtime

router = APIRouter(prefix="/calls", tags=["calls"])


@router.post(
    "/{call_id}/cancel",
    summary="Stop the work on a call",
    responses=problem_responses(401, 403, 404, 409, 422, 500, 503),
)
def cancel_call(call_id: CallIdPath, runtime: RuntimeDep) -> CallState:
    """From the answer on nothing is written; whoever works on the call stops within seconds.

    A cancelled rerun leaves the call as it was before. A finished call is 409 `call_finished`.
    """
    record = runtime.services.calls.cancel(call_id)
    runtime.watch.nudge()
    return CallState.of(record, None)


@router.post(
    "/{call_id}/rerun",
    summary="Work on a finished call again",
    status_code=202,
    responses={
        202: {"description": "It waits for its turn.", "headers": LOCATION},
        **problem_responses(401, 403, 404, 409, 410, 422, 500, 503),
    },
)
def rerun_call(
    call_id: CallIdPath,
    runtime: RuntimeDep,
    response: Response,
    request: Annotated[RerunRequest | None, Body()] = None,
) -> CallState:
    """The result that is there is served until the new one is complete, and stays if the rerun fails.

    Where a stage failed, the work begins with that stage and nothing before it is done again. 409 where
    the call is in work, or its recording is needed and no longer kept.
    """
    runtime.check_open()
    start = RerunFrom((request or RerunRequest()).start)
    return _accepted(runtime.services.calls.rerun(call_id, start), runtime, response)


@router.post(
    "/{call_id}/reanalyze",
    summary="Judge the words of a finished call again, by another playbook",
    status_code=202,
    responses={
        202: {"description": "It waits for its turn.", "headers": LOCATION},
        **problem_responses(401, 403, 404, 409, 410, 422, 500, 503),
    },
)
def reanalyze_call(
    call_id: CallIdPath,
    runtime: RuntimeDep,
    response: Response,
    request: Annotated[ReanalyzeRequest | None, Body()] = None,
) -> CallState:
    """Sentiment, metrics and moments are made anew; nothing is transcribed, and no recording is needed.

    Words, speakers and their roles stay as they are, corrections included. The result that is there is
    served until the new one is complete, and stays as a version. 409 where the call is in work
    (`call_unfinished`) or has no result (`call_not_ready`).
    """
    runtime.check_open()
    asked = request or ReanalyzeRequest()
    record = runtime.services.reanalyses.queue(call_id, asked.playbook, asked.revision)
    return _accepted(record, runtime, response)


def _accepted(record: CallRecord, runtime: Runtime, response: Response) -> CallState:
    """The answer to work that waits from now on, of which workers are told."""
    runtime.announce(record)
    response.headers["Location"] = f"/calls/{record.call_id}"
    return CallState.of(*runtime.services.calls.progress(record.call_id))
