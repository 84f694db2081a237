"""How a change on the call's page is answered: back to the page, from which a script takes what it swaps."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, TypeVar

from fastapi import Header
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError

from app.api.errors import field_errors, validation_failed
from app.web.addresses import call_address

Form = TypeVar("Form", bound=BaseModel)
HxRequest = Annotated[bool, Header(alias="HX-Request")]


def to_call(call_id: str, place: str = "") -> RedirectResponse:
    """``place``: an element of the page."""
    return RedirectResponse(call_address(call_id) + (f"#{place}" if place else ""), HTTPStatus.SEE_OTHER)


def checked(kind: type[Form], values: dict[str, object]) -> Form:
    """A form's fields, held to what the JSON route takes. Raises ValidationFailed."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise validation_failed(field_errors(error.errors())) from None
