"""What the words of a call are, put right by a reviewer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from app.api.calls import CallIdPath, shown
from app.api.deps import RuntimeDep, ServicesDep
from app.api.errors import problem_responses
from app.api.examples import CALL_RESULT, CORRECTION
from app.schemas.correction_models import CallCorrections, TextPatch
from app.schemas.models import CallResult

router = APIRouter(prefix="/calls", tags=["calls"])

SegmentPath = Annotated[int, Path(ge=0, le=2**31 - 1, description="`index` of the segment.", examples=[1])]
CorrectionIdPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=[CORRECTION["id"]])]
_CORRECTED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"example": CALL_RESULT}}}
}


@router.patch(
    "/{call_id}/segments/{index}",
    summary="Correct what a segment says",
    responses={**_CORRECTED, **problem_responses(401, 403, 404, 409, 410, 422, 500, 503, 504)},
)
def correct_segment(
    call_id: CallIdPath, index: SegmentPath, patch: TextPatch, runtime: RuntimeDep
) -> CallResult:
    """Answers with the call as corrected: sentiment and readings of the words that changed, metrics and
    moments are made anew before that, and nothing is transcribed again.

    Words that were heard keep their times, new ones are `estimated`. What was heard is kept; sending it again
    takes the correction back. Corrections stay when the call is analysed again. 409 `call_unfinished` while
    it is in work.
    """
    runtime.check_open()
    runtime.services.corrections.correct(call_id, index, patch.text, runtime.words.judge)
    return shown(runtime.services.calls.read(call_id))


@router.delete(
    "/{call_id}/segments/{index}/correction",
    summary="Let a segment say again what was heard",
    responses={**_CORRECTED, **problem_responses(401, 403, 404, 409, 410, 422, 500, 503, 504)},
)
def withdraw_correction(call_id: CallIdPath, index: SegmentPath, runtime: RuntimeDep) -> CallResult:
    """Answers with the call as it is then. Without any correction it is the identical first result."""
    runtime.check_open()
    runtime.services.corrections.withdraw(call_id, index, runtime.words.judge)
    return shown(runtime.services.calls.read(call_id))


@router.get(
    "/{call_id}/corrections",
    summary="List the corrections of a call's text",
    responses={
        200: {"content": {"application/json": {"example": {"items": [CORRECTION]}}}},
        **problem_responses(401, 403, 404, 422, 500, 503),
    },
)
def list_corrections(call_id: CallIdPath, services: ServicesDep) -> CallCorrections:
    """What was heard and what is right, in order of time.

    `applied: false`: the recording was transcribed again, and no segment says any more what was corrected.
    """
    return CallCorrections.of(services.corrections.of_call(call_id))


@router.delete(
    "/{call_id}/corrections/{correction_id}",
    summary="Take a correction of the text back",
    responses={**_CORRECTED, **problem_responses(401, 403, 404, 409, 410, 422, 500, 503, 504)},
)
def drop_correction(call_id: CallIdPath, correction_id: CorrectionIdPath, runtime: RuntimeDep) -> CallResult:
    """Also one that fits no segment any more. Answers with the call as it is then."""
    runtime.check_open()
    runtime.services.corrections.drop(call_id, correction_id, runtime.words.judge)
    return shown(runtime.services.calls.read(call_id))
