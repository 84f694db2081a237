"""`/ui/playbooks/{name}/draft`: the text of a draft in an editor; the question before it is dropped."""

from __future__ import annotations

import re
from http import HTTPStatus

from fastapi import APIRouter, Response

from app.api.deps import ServicesDep
from app.api.playbooks import PlaybookPath
from app.core.exceptions import AppError, PlaybookNotFound
from app.schemas.playbook import KnownPlaybook
from app.schemas.playbook_models import EXAMPLE_YAML
from app.services.bootstrap import Services
from app.services.trial_service import LONGEST_S
from app.web.addresses import PLAYBOOKS
from app.web.contexts.base import Choice
from app.web.contexts.draft import (
    DiscardDraft,
    DraftPage,
    DraftProblem,
    Refusal,
    TrialShown,
    TryForm,
)
from app.web.contexts.frame import Frame
from app.web.forms import HxRequest
from app.web.frame import FrameDep
from app.web.playbooks.rules import languages_beside
from app.web.rendering import ask, render

LIMITS = (20, 50, 100, 200)
USUAL_LIMIT = 50

router = APIRouter(include_in_schema=False)


@router.get(PLAYBOOKS + "/-/new")
def show_new(frame: FrameDep, services: ServicesDep) -> Response:
    return draft_page(frame, services, None, EXAMPLE_YAML, "")


@router.get(PLAYBOOKS + "/{name}/draft")
def show_draft(name: PlaybookPath, frame: FrameDep, services: ServicesDep) -> Response:
    """The draft, else the text of what holds now to begin with."""
    if services.playbooks.known(name).draft is not None:
        draft = services.playbooks.draft(name)
        return draft_page(frame, services, name, draft.yaml, draft.etag)
    return draft_page(frame, services, name, services.playbooks.get(name)[0].yaml, "")


@router.get(PLAYBOOKS + "/{name}/draft/discard")
def ask_to_discard(
    name: PlaybookPath,
    frame: FrameDep,
    services: ServicesDep,
    hx_request: HxRequest = False,
) -> Response:
    draft = services.playbooks.draft(name)
    has_current = services.playbooks.known(name).current is not None
    question = DiscardDraft(frame, name, draft.facts.revision, draft.etag, has_current)
    return ask(question, in_dialog=hx_request)


def draft_page(
    frame: Frame,
    services: Services,
    name: str | None,
    text: str,
    etag: str,
    *,
    form: TryForm | None = None,
    refused: AppError | None = None,
    trial: TrialShown | None = None,
) -> Response:
    """The editor with ``text``, which is to take the place of the draft with ``etag``, if there was one."""
    known = _known(services, name)
    draft = known.draft if known else None
    page = DraftPage(
        frame=frame,
        name=name,
        yaml=text,
        etag=etag,
        revision=draft.revision if draft else None,
        kept_at=draft.updated_at if draft else None,
        has_current=known is not None and known.current is not None,
        is_default=name == services.library.default,
        beside=_beside(services, name),
        try_form=form or try_form(),
        refusal=refusal_of(refused, text) if refused else None,
        trial=trial,
    )
    return render(page, status=refused.status if refused else HTTPStatus.OK)


def try_form(limit: int = USUAL_LIMIT, since: str = "", text: str = "") -> TryForm:
    limits = tuple(Choice(str(one), f"The latest {one} calls", one == limit) for one in LIMITS)
    return TryForm(limits, since, text, round(LONGEST_S))


def refusal_of(error: AppError, text: str) -> Refusal:
    problems = tuple(
        DraftProblem(_line_of(problem, text), problem["field"], problem["message"])
        for problem in error.errors
    )
    return Refusal(error.title, error.detail, problems)


def _line_of(problem: dict[str, str], text: str) -> int | None:
    """As it is told; of a rule whose examples do not hold, where the rule begins."""
    if "line" in problem:
        return int(problem["line"])
    rule = re.escape(problem["field"].partition(".")[0])
    found = re.search(rf"^\W*id:\s*[\"']?{rule}\b", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else None


def _known(services: Services, name: str | None) -> KnownPlaybook | None:
    try:
        return None if name is None else services.playbooks.known(name)
    except PlaybookNotFound:
        return None


def _beside(services: Services, name: str | None) -> tuple[str, ...]:
    """Languages that a published draft would do without."""
    if name is None or name not in services.library.files():
        return ()
    return languages_beside(services.library.file(name).playbook)
