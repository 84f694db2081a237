"""`/ui/playbooks`: every playbook by name, with its current revision and its draft."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.api.deps import ServicesDep
from app.schemas.playbook import KnownPlaybook, PlaybookSource
from app.web.addresses import PLAYBOOKS
from app.web.contexts.playbooks import PlaybookLine, PlaybooksPage
from app.web.frame import FrameDep
from app.web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get(PLAYBOOKS)
def show_playbooks(frame: FrameDep, services: ServicesDep) -> Response:
    default = services.library.default
    lines = tuple(_line(known, default) for known in services.playbooks.all())
    return render(PlaybooksPage(frame, lines))


def _line(known: KnownPlaybook, default: str) -> PlaybookLine:
    current, draft = known.current, known.draft
    shown = current or draft
    return PlaybookLine(
        name=known.name,
        is_default=known.name == default,
        is_file=known.source is PlaybookSource.FILE and current is not None,
        revision=current.revision if current else None,
        version=shown.version if shown else "",
        rules=shown.rules if shown else 0,
        languages=shown.languages if shown else (),
        published_at=current.published_at if current else None,
        draft=draft.revision if draft else None,
        drafted_at=draft.updated_at if draft else None,
    )
