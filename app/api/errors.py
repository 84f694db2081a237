"""The one error shape: every failure becomes application/problem+json (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.core.exceptions import AppError, InternalError, ValidationFailed
from app.schemas.models import Problem

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
REPLAYED_HEADER = "Idempotent-Replayed"

_FRAMEWORK_CODES = {
    400: "malformed_request",
    404: "not_found",
    405: "method_not_allowed",
}
"""What Starlette and FastAPI answer by themselves; all else is an AppError with a code of its own."""


def problem(
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    instance: str,
    request_id: str,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
    **extensions: Any,
) -> JSONResponse:
    """One answer in the one shape. ``extensions`` are further members (``call_id``, ``stage``)."""
    body: dict[str, Any] = {
        "type": f"urn:darwix:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "request_id": request_id,
        **extensions,
    }
    if errors:
        body["errors"] = errors
    return JSONResponse(body, status, dict(headers or {}), MEDIA_TYPE)


def problem_of(error: AppError, instance: str, request_id: str) -> JSONResponse:
    """The answer to an expected failure."""
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.is_replay:
        headers[REPLAYED_HEADER] = "true"
    return problem(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        instance=instance,
        request_id=request_id,
        errors=error.errors,
        headers=headers,
        **error.context,
    )


def install_error_handlers(app: FastAPI) -> None:
    """Give every failure of ``app`` the one shape, the framework's own included."""

    @app.exception_handler(AppError)
    def app_error(request: Request, error: AppError) -> JSONResponse:
        return problem_of(error, request.url.path, request_id_of(request.scope))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        refused = validation_failed(field_errors(error.errors()))
        return problem_of(refused, request.url.path, request_id_of(request.scope))

    @app.exception_handler(HTTPException)
    def framework_error(request: Request, error: HTTPException) -> JSONResponse:
        title = HTTPStatus(error.status_code).phrase
        return problem(
            status=error.status_code,
            code=_FRAMEWORK_CODES.get(error.status_code, "http_error"),
            title=title,
            detail=str(error.detail or title),
            instance=request.url.path,
            request_id=request_id_of(request.scope),
            headers=error.headers,
        )


def unforeseen(path: str, request_id: str) -> JSONResponse:
    """The answer to a defect of ours: nothing of it is shown but the request id."""
    error = InternalError(f"something unforeseen happened; the log names it under {request_id}")
    return problem_of(error, path, request_id)


def field_errors(errors: Any) -> list[dict[str, str]]:
    """Pydantic's errors as ``field`` and ``message``, without the values that were sent."""
    found = []
    for error in errors:
        location = [str(part) for part in error["loc"] if part not in ("body", "query", "path", "header")]
        if error["type"] == "json_invalid":
            found.append({"field": "body", "message": "is not valid JSON"})
        elif not location and error["type"] == "value_error":  # of the fields together
            found.append({"field": "body", "message": error["msg"].removeprefix("Value error, ")})
        elif not location:
            message = "must be a JSON object, sent with Content-Type: application/json"
            found.append({"field": "body", "message": message})
        else:
            message = error["msg"].removeprefix("Value error, ")
            found.append({"field": ".".join(location), "message": message})
    return found


def validation_failed(errors: list[dict[str, str]]) -> ValidationFailed:
    """The failure that names each of these fields."""
    detail = "; ".join(f"{item['field']}: {item['message']}" for item in errors)
    return ValidationFailed(detail, errors=errors)


def request_id_of(scope: Mapping[str, Any]) -> str:
    return str(scope.get("state", {}).get("request_id", ""))


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the errors that an operation can answer with; 429 where a key may be wrong."""
    if HTTPStatus.UNAUTHORIZED in statuses:
        statuses = tuple(sorted({*statuses, int(HTTPStatus.TOO_MANY_REQUESTS)}))
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "model": Problem,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }
