"""How the text of a playbook comes in, as YAML or in JSON, and goes out."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response
from pydantic import ValidationError

from app.api.accept import preferred
from app.api.errors import field_errors, validation_failed
from app.core.exceptions import MalformedRequest, PlaybookDraftChanged, UnsupportedMediaType
from app.schemas.playbook import PlaybookRevision, PlaybookSource
from app.schemas.playbook_models import EXAMPLE_YAML, DraftText, NewPlaybook, RevisionWithText

YAML = "application/yaml"
_JSON = "application/json"
_YAML_TYPES = {YAML, "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain"}
_ETAG = re.compile(r'(?:W/)?"([^"]*)"')
_TEXT: dict[str, Any] = {"schema": {"type": "string"}, "example": EXAMPLE_YAML}

Body = TypeVar("Body", DraftText, NewPlaybook)

ETAG_HEADER: dict[str, Any] = {
    "ETag": {"description": "Of the draft's text; send it as `If-Match`.", "schema": {"type": "string"}}
}
IF_MATCH: dict[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of the draft that this is about: 412 when another has changed it meanwhile.",
    "schema": {"type": "string"},
    "example": '"6f1ed002ab5595859014ebf0951522d9"',
}
WITH_TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {YAML: _TEXT}}}


def body_of(schema: type[DraftText]) -> dict[str, Any]:
    """OpenAPI's entry for a body that is YAML, or JSON by ``schema``."""
    as_json = {"schema": schema.model_json_schema()}
    return {"requestBody": {"required": True, "content": {YAML: _TEXT, _JSON: as_json}}}


async def _read_new(request: Request) -> NewPlaybook:
    return await _read(request, NewPlaybook)


async def _read_draft(request: Request) -> DraftText:
    return await _read(request, DraftText)


NewPlaybookDep = Annotated[NewPlaybook, Depends(_read_new)]
DraftTextDep = Annotated[DraftText, Depends(_read_draft)]


async def _read(request: Request, schema: type[Body]) -> Body:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _JSON and kind not in _YAML_TYPES:
        raise UnsupportedMediaType(f"send YAML as {YAML}, or JSON as {_JSON}")
    body = await request.body()
    if kind != _JSON:
        try:
            return schema(yaml=body.decode())
        except UnicodeDecodeError:
            raise MalformedRequest("the body is no text in UTF-8") from None
    try:
        return schema.model_validate_json(body)
    except ValidationError as error:
        raise validation_failed(field_errors(error.errors())) from None


def expected_etag(request: Request) -> str | None:
    """What `If-Match` asks for. Raises PlaybookDraftChanged for what no draft can have."""
    header = request.headers.get("if-match")
    if header is None or header.strip() == "*":
        return header and "*"
    found = _ETAG.fullmatch(header.strip())
    if found is None:
        raise PlaybookDraftChanged("If-Match takes the ETag of the draft, in quotes")
    return found[1]


def answer(
    request: Request, response: Response, revision: PlaybookRevision, source: PlaybookSource
) -> RevisionWithText | Response:
    """The revision as JSON, or its bare text where the client would rather have that."""
    headers = {"ETag": f'"{revision.etag}"', "Vary": "Accept"}
    offers = {_JSON: _JSON, YAML: YAML, "text/yaml": "text/yaml"}
    chosen = preferred(request.headers.get("accept"), offers) or _JSON
    if chosen == _JSON:
        response.headers.update(headers)
        return RevisionWithText.whole(revision, source)
    return Response(revision.yaml, media_type=chosen, headers=headers)
