"""All calls of one customer: deleted, or handed over as an archive."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.schemas.customer_models import CustomerDeletionModel, CustomerQuery

router = APIRouter(tags=["calls"])

ZIP = "application/zip"


@router.delete(
    "/calls",
    summary="Delete all calls of a customer",
    responses=problem_responses(401, 403, 422, 500, 503),
)
def delete_customer(query: Annotated[CustomerQuery, Query()], services: ServicesDep) -> CustomerDeletionModel:
    """Each as by `DELETE /calls/{call_id}`, in whatever state it is. Calls under legal hold stay.

    Where it breaks off (503), ask again: it goes on with what is left.
    """
    return CustomerDeletionModel.of(services.customers.delete(query.customer_id))


@router.get(
    "/calls.zip",
    summary="All that is kept about a customer, as a zip archive",
    response_class=Response,
    responses={
        200: {"description": "Streamed; `manifest.json` comes last.", "content": {ZIP: {}}},
        **problem_responses(401, 403, 422, 500, 503),
    },
)
def export_customer(query: Annotated[CustomerQuery, Query()], services: ServicesDep) -> StreamingResponse:
    """Of every call the whole JSON, all versions of its analysis, who was told of it, and the recording.

    Calls under legal hold are in it. An archive without `manifest.json` broke off: ask again.
    """
    headers = {"Content-Disposition": 'attachment; filename="calls.zip"'}
    return StreamingResponse(services.customers.export(query.customer_id), media_type=ZIP, headers=headers)
