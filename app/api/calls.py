"""Stored calls: list, read, delete."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse

from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.api.examples import CALL_PAGE, CALL_RESULT
from app.schemas.call_list_models import CallListItem, CallPage
from app.schemas.models import CallResult
from app.schemas.requests import ID_PATTERN, CallQuery
from app.services.call_service import StoredCall
from app.services.exports.aws import to_aws

router = APIRouter(prefix="/calls", tags=["calls"])


class CallShape(StrEnum):
    DARWIX = "darwix"
    AWS = "aws"


def shown(stored: StoredCall) -> CallResult:
    """The call as clients get it."""
    result = CallResult.of(stored.record, stored.analysis, stored.queue_position)
    return result.with_reviews(stored.reviews).with_corrections(stored.corrections)


CallIdPath = Annotated[str, Path(pattern=ID_PATTERN, examples=["CALL-001"])]


@router.get(
    "",
    summary="List calls, newest first",
    responses={
        200: {"content": {"application/json": {"example": CALL_PAGE}}},
        **problem_responses(401, 403, 422, 500, 503),
    },
)
def list_calls(services: ServicesDep, query: Annotated[CallQuery, Query()]) -> CallPage:
    """A page of calls. Calls that come in while you page through are neither skipped nor shown twice.

    `q` searches the words of current transcripts: all of them must be there, in any order, and a
    "quoted phrase" within one segment. Any text will do; one without a word finds nothing.
    """
    items, next_cursor = services.calls.page(query.filters, query.limit, query.cursor)
    return CallPage(items=[CallListItem.of(item) for item in items], next_cursor=next_cursor)


@router.get(
    "/{call_id}",
    summary="Read a call with its whole result",
    response_model=CallResult,
    responses={
        200: {"content": {"application/json": {"example": CALL_RESULT}}},
        **problem_responses(401, 403, 404, 409, 410, 422, 500, 503),
    },
)
def read_call(
    call_id: CallIdPath,
    services: ServicesDep,
    shape: Annotated[CallShape, Query(alias="format")] = CallShape.DARWIX,
) -> CallResult | JSONResponse:
    """The call in its present state: in work, finished with its result, or failed with the reason.

    While a call with a result is worked on again, that result is shown beside the state of the work.

    `format=aws` gives a finished call in the shape of AWS Transcribe Call Analytics' post-call JSON
    (milliseconds, scores from -5 to 5), for dashboards and scripts that read that.
    """
    if shape is CallShape.AWS:
        return JSONResponse(to_aws(*services.calls.finished(call_id)))
    stored = services.calls.read(call_id)
    return shown(stored)


@router.delete(
    "/{call_id}",
    summary="Delete a call and everything that is kept of it",
    status_code=204,
    response_class=Response,
    responses=problem_responses(401, 403, 404, 409, 422, 500, 503),
)
def delete_call(call_id: CallIdPath, services: ServicesDep) -> Response:
    """Removes the row, transcript, segments, moments, the stored recording and what was read out of it.

    A call under legal hold stays as it is (409 `legal_hold`).
    """
    services.calls.delete(call_id)
    return Response(status_code=204)
