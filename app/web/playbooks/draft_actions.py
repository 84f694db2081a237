"""What is done with a draft: kept, tried, published, dropped. Each has its JSON route, too."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Response

from app.api.deps import ServicesDep
from app.api.playbooks import PlaybookPath
from app.api.rule_lab import tried
from app.core.exceptions import Busy, InputError
from app.schemas.playbook import PlaybookRevision
from app.schemas.trial_models import TryRequest
from app.services.bootstrap import Services
from app.web.addresses import PLAYBOOKS, playbook_address
from app.web.contexts.draft import DraftAnswers, TrialShown
from app.web.forms import HxRequest, TextField, checked
from app.web.frame import FrameDep
from app.web.playbooks.draft_page import USUAL_LIMIT, draft_page, refusal_of, try_form
from app.web.playbooks.trial import shown_trial
from app.web.rendering import render, see_other

router = APIRouter(include_in_schema=False)


@router.post(PLAYBOOKS)
def create_draft(frame: FrameDep, services: ServicesDep, yaml: TextField) -> Response:
    """Of a name that the text gives itself."""
    text = _lines_of(yaml)
    try:
        draft = services.playbooks.create(text)
    except InputError as error:
        return draft_page(frame, services, None, text, "", refused=error)
    return see_other(f"{playbook_address(draft.facts.name)}/draft")


@router.post(PLAYBOOKS + "/{name}/draft")
def keep_draft(
    name: PlaybookPath, frame: FrameDep, services: ServicesDep, yaml: TextField, etag: TextField = ""
) -> Response:
    text = _lines_of(yaml)
    try:
        _keep(services, name, text, etag)
    except InputError as error:
        return draft_page(frame, services, name, text, etag, refused=error)
    return see_other(f"{playbook_address(name)}/draft")


@router.post(PLAYBOOKS + "/{name}/publish")
def publish_draft(
    name: PlaybookPath, frame: FrameDep, services: ServicesDep, yaml: TextField, etag: TextField = ""
) -> Response:
    """The text as it stands in the editor is kept, and then published."""
    text = _lines_of(yaml)
    try:
        kept = _keep(services, name, text, etag)
        etag = kept.etag
        services.playbooks.publish(name, kept.facts.revision)
    except InputError as error:
        return draft_page(frame, services, name, text, etag, refused=error)
    return see_other(playbook_address(name))


@router.post(PLAYBOOKS + "/{name}/try")
def try_draft(
    name: PlaybookPath,
    frame: FrameDep,
    services: ServicesDep,
    yaml: TextField,
    etag: TextField = "",
    limit: Annotated[int, Form()] = USUAL_LIMIT,
    since: TextField = "",
    said: TextField = "",
    hx_request: HxRequest = False,
) -> Response:
    """Keeps nothing. A script gets what came of it alone, a refusal too: it stands where the answer would."""
    text = _lines_of(yaml)
    trial: TrialShown | None = None
    refused: InputError | Busy | None = None
    try:
        trial = _try(services, name, text, limit, since, said)
    except (InputError, Busy) as error:
        refused = error
    if hx_request:
        return render(DraftAnswers(refusal_of(refused, text) if refused else None, trial))
    form = try_form(limit, since, said)
    return draft_page(frame, services, name, text, etag, form=form, refused=refused, trial=trial)


@router.post(PLAYBOOKS + "/{name}/draft/discard")
def discard_draft(name: PlaybookPath, services: ServicesDep, etag: TextField) -> Response:
    services.playbooks.drop_draft(name, etag)
    still_there = any(known.name == name for known in services.playbooks.all())
    address = playbook_address(name) if still_there else PLAYBOOKS
    return see_other(address)


def _keep(services: Services, name: str, text: str, etag: str) -> PlaybookRevision:
    """In the place of the draft that was shown, and of no other; where there was none, as the first."""
    if etag:
        return services.playbooks.put_draft(name, text, etag)
    return services.playbooks.create(text, name)


def _try(services: Services, name: str, text: str, limit: int, since: str, said: str) -> TrialShown:
    on: dict[str, Any] = {"calls": {"limit": limit, "since": since or None}}
    if said.strip():
        on = {"text": _lines_of(said)}
    wanted = checked(TryRequest, {"yaml": text, **on})
    return shown_trial(tried(name, wanted, services), is_text="text" in on)


def _lines_of(text: str) -> str:
    """Forms send every end of a line as CR LF."""
    return text.replace("\r\n", "\n")
