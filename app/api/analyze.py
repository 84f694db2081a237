"""POST /analyze: a finished transcript in, what it holds out."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from app.api.deps import RuntimeDep
from app.api.errors import problem_responses
from app.api.examples import ANALYZE_RESULT
from app.core.exceptions import ValidationFailed
from app.schemas.analyze_models import AnalyzeRequest, AnalyzeResult, GivenSegmentModel
from app.schemas.call import CallOptions
from app.services.given_transcript import GivenSegment, heard_of
from app.workers.pipeline import CallInput
from app.workers.runtime import Runtime

router = APIRouter(tags=["calls"])


@router.post(
    "/analyze",
    summary="Analyse a finished transcript",
    responses={
        200: {"content": {"application/json": {"example": ANALYZE_RESULT}}},
        **problem_responses(400, 401, 403, 404, 409, 410, 413, 422, 500, 503),
    },
)
def analyze(body: AnalyzeRequest, runtime: RuntimeDep) -> AnalyzeResult:
    """Sentiment, coachable moments and, where there are times, metrics: the same stages as for a recording.

    Nothing is stored, unless `call_id` names an existing call: then this becomes its result, and earlier ones
    stay as versions. Without times the order of the segments stands in for them; moments that are found in
    time need times.
    """
    runtime.check_open()
    known_s = _known_duration(body, runtime)
    heard = heard_of(given_segments(body.segments), body.language, known_s)
    is_timed = heard.told is not None and heard.told.is_timed
    playbook = runtime.services.library.current(body.playbook)
    call = CallInput(body.call_id or "", CallOptions(body.language), playbook=playbook)
    if body.call_id is not None and not is_timed:
        message = "must be given where the result is stored under a call_id"
        raise ValidationFailed.of("segments.0.start_time", message)
    analysis = runtime.words.run(call, heard)
    if body.call_id is not None:
        runtime.services.transcripts.attach(body.call_id, analysis)
    return AnalyzeResult.of(analysis, body.call_id, is_timed=is_timed)


def _known_duration(body: AnalyzeRequest, runtime: Runtime) -> float:
    """How long the recording of the call is, if there is one; a call that takes no result is refused here."""
    if body.call_id is None:
        return 0.0
    return runtime.services.transcripts.awaiting(body.call_id).duration_s or 0.0


def given_segments(parts: Sequence[GivenSegmentModel]) -> list[GivenSegment]:
    return [
        GivenSegment(part.text, part.speaker, part.role, part.start_time, part.end_time) for part in parts
    ]
