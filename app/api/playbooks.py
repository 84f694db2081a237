"""Playbooks: the rules that moments are found by, drafted, published and read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.api.playbook_text import (
    ETAG_HEADER,
    IF_MATCH,
    WITH_TEXT,
    DraftTextDep,
    NewPlaybookDep,
    answer,
    body_of,
    expected_etag,
)
from app.schemas.playbook import PLAYBOOK_PATTERN, PlaybookSource
from app.schemas.playbook_models import (
    REVISION_PATTERN,
    DraftText,
    NewPlaybook,
    PlaybookEntry,
    PlaybookList,
    PublishRequest,
    RevisionList,
    RevisionModel,
    RevisionWithText,
)

router = APIRouter(prefix="/playbooks", tags=["playbooks"])

PlaybookPath = Annotated[str, Path(pattern=PLAYBOOK_PATTERN, examples=["acme"])]
RevisionQuery = Annotated[
    str | None, Query(pattern=REVISION_PATTERN, description="Another than the current one.")
]


@router.get("", summary="List playbooks", responses=problem_responses(401, 403, 500, 503))
def list_playbooks(services: ServicesDep) -> PlaybookList:
    """Those that are files of the service and those that are stored, by name."""
    items = [PlaybookEntry.of(known) for known in services.playbooks.all()]
    return PlaybookList(items=items, default=services.library.default)


@router.post(
    "",
    summary="Write a new draft",
    status_code=201,
    responses={
        201: {"headers": ETAG_HEADER},
        **problem_responses(400, 401, 403, 409, 413, 415, 422, 500, 503),
    },
    openapi_extra=body_of(NewPlaybook),
)
def create_draft(new: NewPlaybookDep, response: Response, services: ServicesDep) -> RevisionModel:
    """Nothing is analysed by it before it is published. The name of a file may be taken.

    A text that cannot be used is refused with the line of each reason (422 `playbook_invalid`).
    """
    draft = services.playbooks.create(new.yaml, new.name)
    response.headers["Location"] = f"/playbooks/{draft.facts.name}/draft"
    response.headers["ETag"] = f'"{draft.etag}"'
    return RevisionModel.of(draft.facts)


@router.get(
    "/{name}",
    summary="Read a playbook",
    response_model=RevisionWithText,
    responses={**WITH_TEXT, **problem_responses(401, 403, 404, 422, 500, 503)},
)
def read_playbook(
    name: PlaybookPath,
    request: Request,
    response: Response,
    services: ServicesDep,
    revision: RevisionQuery = None,
) -> RevisionWithText | Response:
    """What calls are analysed by now, or any other revision. `Accept: application/yaml` gives the bare text.

    Of a playbook whose languages lie in files of their own the text is that of its first file.
    """
    return answer(request, response, *services.playbooks.get(name, revision))


@router.get(
    "/{name}/revisions",
    summary="List the revisions of a playbook",
    responses=problem_responses(401, 403, 404, 422, 500, 503),
)
def list_revisions(name: PlaybookPath, services: ServicesDep) -> RevisionList:
    return RevisionList.of(*services.playbooks.revisions(name))


@router.get(
    "/{name}/draft",
    summary="Read a draft",
    response_model=RevisionWithText,
    responses={**WITH_TEXT, **problem_responses(401, 403, 404, 422, 500, 503)},
)
def read_draft(
    name: PlaybookPath, request: Request, response: Response, services: ServicesDep
) -> RevisionWithText | Response:
    """As JSON or, for `Accept: application/yaml`, as bare text."""
    return answer(request, response, services.playbooks.draft(name), PlaybookSource.ROW)


@router.put(
    "/{name}/draft",
    summary="Write the draft of a playbook",
    responses={
        200: {"headers": ETAG_HEADER},
        **problem_responses(400, 401, 403, 409, 412, 413, 415, 422, 500, 503),
    },
    openapi_extra={"parameters": [IF_MATCH], **body_of(DraftText)},
)
def write_draft(
    name: PlaybookPath, text: DraftTextDep, request: Request, response: Response, services: ServicesDep
) -> RevisionModel:
    """In the place of the earlier one, if there is one; with `If-Match`, of the one that it names alone."""
    draft = services.playbooks.put_draft(name, text.yaml, expected_etag(request))
    response.headers["ETag"] = f'"{draft.etag}"'
    return RevisionModel.of(draft.facts)


@router.delete(
    "/{name}/draft",
    summary="Drop the draft of a playbook",
    status_code=204,
    response_class=Response,
    responses=problem_responses(401, 403, 404, 412, 422, 500, 503),
    openapi_extra={"parameters": [IF_MATCH]},
)
def drop_draft(name: PlaybookPath, request: Request, services: ServicesDep) -> Response:
    """Published revisions stay."""
    services.playbooks.drop_draft(name, expected_etag(request))
    return Response(status_code=204)


@router.post(
    "/{name}/publish",
    summary="Make a revision the one that calls are analysed by",
    responses=problem_responses(400, 401, 403, 404, 413, 422, 500, 503),
)
def publish(name: PlaybookPath, wanted: PublishRequest, services: ServicesDep) -> RevisionModel:
    """The draft, which from then on never changes, or a revision that was published before.

    All processes go by it from the next call on. A draft whose rules do not do what their own examples say
    is refused (422 `playbook_examples_failed`). Published twice, it is the same.
    """
    return RevisionModel.of(services.playbooks.publish(name, wanted.revision).facts)
