"""What pages send: fields of forms and what an address asks for, read by the same schemas as JSON routes'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Form, Header, Query, Request
from pydantic import BaseModel, ValidationError

from app.api.errors import field_errors, validation_failed

HxRequest = Annotated[bool, Header(alias="HX-Request")]
"""A script asks, for a part of a page."""
HxTarget = Annotated[str | None, Header()]
"""The element that a script puts the answer into."""
TextField = Annotated[str, Form()]
NextField = Annotated[str, Form(alias="next")]
"""The page to show afterwards."""
NextQuery = Annotated[str, Query(alias="next")]

DAY = len("2026-02-21")

Schema = TypeVar("Schema", bound=BaseModel)


def checked(schema: type[Schema], values: Mapping[str, Any]) -> Schema:
    """``values`` held to what the JSON route takes. Raises ValidationFailed."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise validation_failed(field_errors(error.errors())) from None


def asked_of(request: Request) -> dict[str, str]:
    """The parameters that say anything: an empty field of a form counts as absent."""
    return {name: value.strip() for name, value in request.query_params.items() if value.strip()}


def read_asked(asked: Mapping[str, Any], schema: type[Schema]) -> Schema:
    """``asked`` by ``schema``; a day as ``date_to`` is meant as a whole. Raises ValidationFailed."""
    values = dict(asked)
    if len(values.get("date_to", "")) == DAY:
        values["date_to"] += "T23:59:59.999999"
    return checked(schema, values)


def address_of(path: str, asked: Mapping[str, str | None]) -> str:
    """``path`` with what is asked for; None and empty values are left out."""
    given = {name: value for name, value in asked.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
