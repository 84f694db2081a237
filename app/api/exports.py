"""Calls in the shapes of other programs: transcripts as text and subtitles, tables as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse

from app.api.accept import preferred
from app.api.calls import CallIdPath
from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.schemas.analysis import Analysis
from app.schemas.requests import CallFilterQuery
from app.services.exports.subtitles import to_srt, to_vtt
from app.services.exports.tables import calls_csv, moments_csv
from app.services.exports.text import to_document, to_txt

router = APIRouter(tags=["exports"])

CSV = "text/csv"


class TranscriptFormat(StrEnum):
    JSON = "json"
    TXT = "txt"
    SRT = "srt"
    VTT = "vtt"


_MEDIA_TYPES = {
    TranscriptFormat.JSON: "application/json",
    TranscriptFormat.TXT: "text/plain",
    TranscriptFormat.SRT: "application/x-subrip",
    TranscriptFormat.VTT: "text/vtt",
}
_WRITERS: dict[TranscriptFormat, Callable[[Analysis], str]] = {
    TranscriptFormat.TXT: to_txt,
    TranscriptFormat.SRT: to_srt,
    TranscriptFormat.VTT: to_vtt,
}
_CSV_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "A heading, then a line each.", "content": {CSV: {"schema": {"type": "string"}}}},
    **problem_responses(401, 403, 422, 500, 503),
}


@router.get(
    "/calls/{call_id}/transcript",
    summary="The transcript as JSON, text or subtitles",
    response_class=Response,
    responses={
        200: {"content": {media_type: {} for media_type in _MEDIA_TYPES.values()}},
        **problem_responses(401, 403, 404, 409, 410, 422, 500, 503),
    },
)
def read_transcript(
    call_id: CallIdPath,
    request: Request,
    services: ServicesDep,
    wanted: Annotated[TranscriptFormat | None, Query(alias="format")] = None,
) -> Response:
    """With speaker names or roles in it. `format` decides, else the `Accept` header, else it is JSON."""
    record, analysis = services.calls.finished(call_id)
    chosen = wanted or preferred(request.headers.get("accept"), _MEDIA_TYPES) or TranscriptFormat.JSON
    headers = {"Vary": "Accept"}
    if chosen is TranscriptFormat.JSON:
        return JSONResponse(to_document(record, analysis), headers=headers)
    return PlainTextResponse(_WRITERS[chosen](analysis), headers=headers, media_type=_MEDIA_TYPES[chosen])


@router.get("/calls.csv", summary="One row a call, as CSV", response_class=Response, responses=_CSV_RESPONSES)
def read_calls_table(query: Annotated[CallFilterQuery, Query()], services: ServicesDep) -> StreamingResponse:
    """Metrics and counts of moments of all calls that the filters leave, newest first.

    Cells that a spreadsheet would take for a formula begin with an apostrophe.
    """
    return _table("calls.csv", calls_csv(services.calls.digests(query.filters)))


@router.get(
    "/moments.csv", summary="One row a moment, as CSV", response_class=Response, responses=_CSV_RESPONSES
)
def read_moments_table(
    query: Annotated[CallFilterQuery, Query()], services: ServicesDep
) -> StreamingResponse:
    """The moments of all calls that the filters leave, newest call first."""
    return _table("moments.csv", moments_csv(services.calls.digests(query.filters)))


def _table(name: str, lines: Iterator[str]) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type=CSV, headers=headers)
