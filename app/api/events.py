"""GET /calls/{call_id}/events: how far a call is, as it changes, in server-sent events."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse

from app.api.calls import CallIdPath
from app.api.deps import RuntimeDep
from app.api.errors import problem_responses
from app.core.exceptions import AppError, CallInterrupted, CallNotFound
from app.schemas.state_models import STATE_EXAMPLE, CallState
from app.workers.runtime import Runtime

router = APIRouter(prefix="/calls", tags=["calls"])

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_S = 15.0
"""Shorter than the time after which proxies give up on a silent answer."""
RECONNECT_MS = 3000
LAST = "last"
"""Id of the event after which there is none: a browser that comes back with it is told to stay away."""
_EXAMPLE = f"event: progress\ndata: {json.dumps(STATE_EXAMPLE)}\n\n"


@router.get(
    "/{call_id}/events",
    summary="Follow a call until it has ended",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events, until the call has ended.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}},
        },
        204: {"description": "The client has seen the last event (`Last-Event-ID`)."},
        **problem_responses(401, 403, 404, 422, 500, 503),
    },
)
async def follow_call(
    call_id: CallIdPath,
    runtime: RuntimeDep,
    last_event_id: Annotated[str | None, Header(description="Sent by browsers that reconnect.")] = None,
) -> Response:
    """A `progress` event now and whenever something changes; its data is a `CallState`.

    `percent` never falls, and is 100 only when the result can be read. The event of the final state is the
    last one; of a call that is deleted meanwhile that is a `deleted` event. A comment is sent every 15 s.
    """
    runtime.check_open()
    state = CallState.of(*await asyncio.to_thread(runtime.services.calls.progress, call_id))
    if last_event_id == LAST and state.status.is_final:
        return Response(status_code=204)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(state, runtime), headers=headers, media_type=MEDIA_TYPE)


async def _events(state: CallState, runtime: Runtime) -> AsyncIterator[str]:
    """Ends with the call, with its deletion, and when the service stops."""
    yield f"retry: {RECONNECT_MS}\n\n"
    yield _progress(state)
    sent_at = time.monotonic()
    while not state.status.is_final and not runtime.is_stopping:
        try:
            later = CallState.of(*await runtime.watch.next(state.call_id))
        except CallNotFound:
            yield _event("deleted", {"call_id": state.call_id}, is_last=True)
            return
        except CallInterrupted:
            return
        except AppError:  # the database is away; it is looked for again
            later = state
        # A call that failed and was begun anew between two looks starts at 0.
        later = later.model_copy(update={"percent": max(later.percent, state.percent)})
        if later != state:
            state = later
            yield _progress(state)
            sent_at = time.monotonic()
        elif time.monotonic() - sent_at >= HEARTBEAT_S:
            yield ": still here\n\n"
            sent_at = time.monotonic()


def _progress(state: CallState) -> str:
    return _event("progress", state.model_dump(mode="json"), is_last=state.status.is_final)


def _event(name: str, data: dict[str, Any], *, is_last: bool) -> str:
    last = f"id: {LAST}\n" if is_last else ""
    return f"{last}event: {name}\ndata: {json.dumps(data)}\n\n"
