"""`/ui/clips`: the library of clips, by folder, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastapi import APIRouter, Request, Response

from app.api.deps import ServicesDep
from app.schemas.clip import ClipFolder, ConsentState, KeptClip
from app.schemas.clip_models import ClipQuery
from app.schemas.requests import MOMENT_KINDS
from app.web.addresses import CLIPS, call_address
from app.web.contexts.base import Choice
from app.web.contexts.clips import ClipCard, ClipFilters, ClipsPage, ExcerptPart, FolderLine
from app.web.formatting import spelled
from app.web.forms import HxTarget, address_of, asked_of, read_asked
from app.web.frame import FrameDep
from app.web.rendering import render

PAGE = 24
SHOWN_LINES = 4
"""Of what is said in a clip, before the rest is asked for."""
UNFILED = "unfiled"
"""In an address: clips that lie in no folder."""
CONSENT = {
    ConsentState.RECORDED: "Consent recorded",
    ConsentState.UNKNOWN: "Consent not known",
}
"""States that a clip which is there can have."""

router = APIRouter(include_in_schema=False)


@router.get(CLIPS)
def show_clips(
    request: Request,
    frame: FrameDep,
    services: ServicesDep,
    hx_target: HxTarget = None,
) -> Response:
    asked = asked_of(request)
    query = _query(asked)
    items, older = services.clips.page(query.filters, PAGE, query.cursor)
    folders = services.clips.folders()
    first = {name: value for name, value in asked.items() if name != "cursor"}
    page = ClipsPage(
        frame=frame,
        folders=tuple(_folders(folders, first)),
        filters=_filters(asked),
        clips=tuple(card_of(clip) for clip in items),
        address=address_of(CLIPS, asked),
        newest=address_of(CLIPS, first) if query.cursor else None,
        older=address_of(CLIPS, {**first, "cursor": older}) if older else None,
        has_clips=bool(folders),
    )
    return render(page, address=page.address if hx_target == "library" else None)


def card_of(clip: KeptClip) -> ClipCard:
    place = clip.moment_id or f"t={clip.start_s:g}"
    said = tuple(ExcerptPart(line.role, line.text) for line in clip.excerpt)
    return ClipCard(
        clip_id=clip.id,
        title=clip.title,
        folder=clip.folder,
        kind=clip.type,
        subtype=clip.subtype,
        agent_id=clip.agent_id,
        call_id=clip.call_id,
        call_address=call_address(clip.call_id, place),
        start_s=clip.start_s,
        length_s=clip.end_s - clip.start_s,
        excerpt=said[:SHOWN_LINES],
        more=said[SHOWN_LINES:],
        note=clip.note,
        consent=clip.consent.state,
        recorded_by=clip.consent.recorded_by,
        recorded_at=clip.consent.recorded_at,
        created_at=clip.created_at,
    )


def _query(asked: Mapping[str, str]) -> ClipQuery:
    values = {name: value for name, value in asked.items() if name != UNFILED}
    return read_asked({**values, "folder": ""} if UNFILED in asked else values, ClipQuery)


def _folders(folders: Iterable[ClipFolder], asked: Mapping[str, str]) -> Iterable[FolderLine]:
    counted = tuple(folders)
    others = {name: value for name, value in asked.items() if name not in ("folder", UNFILED)}
    chosen = None if UNFILED in asked else asked.get("folder")
    is_all = UNFILED not in asked and chosen is None
    yield FolderLine(None, sum(one.clips for one in counted), address_of(CLIPS, others), is_all, is_all=True)
    for one in counted:
        where = {UNFILED: "1"} if one.folder is None else {"folder": one.folder}
        is_here = UNFILED in asked if one.folder is None else one.folder == chosen
        yield FolderLine(one.folder, one.clips, address_of(CLIPS, {**others, **where}), is_here)


def _filters(asked: Mapping[str, str]) -> ClipFilters:
    kind, consent = asked.get("type"), asked.get("consent")
    return ClipFilters(
        types=tuple(Choice(one, spelled(one), one == kind) for one in MOMENT_KINDS),
        consents=tuple(Choice(state, words, state == consent) for state, words in CONSENT.items()),
        agent_id=asked.get("agent_id", ""),
        team_id=asked.get("team_id", ""),
        folder=asked.get("folder"),
        is_unfiled=UNFILED in asked,
    )
