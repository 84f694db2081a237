"""The library of clips: the list, and the questions around a clip."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.contexts.base import Choice
from app.web.contexts.frame import Frame


@dataclass(frozen=True)
class FolderLine:
    """A folder; ``name`` None: clips in no folder, and "All clips" where ``is_all``."""

    name: str | None
    clips: int
    address: str
    is_chosen: bool
    is_all: bool = False


@dataclass(frozen=True)
class ClipFilters:
    """Values as they stand in the address. ``folder`` goes along unseen."""

    types: tuple[Choice, ...]
    consents: tuple[Choice, ...]
    agent_id: str
    team_id: str
    folder: str | None
    is_unfiled: bool


@dataclass(frozen=True)
class ExcerptPart:
    role: str
    text: str


@dataclass(frozen=True)
class ClipCard:
    """``call_address`` leads to where the clip begins. ``length_s``: how long it is. ``more``:
    what is said after the ``excerpt`` that is shown at once."""

    clip_id: str
    title: str
    folder: str | None
    kind: str | None
    subtype: str | None
    agent_id: str | None
    call_id: str
    call_address: str
    start_s: float
    length_s: float
    excerpt: tuple[ExcerptPart, ...]
    more: tuple[ExcerptPart, ...]
    note: str | None
    consent: str
    recorded_by: str | None
    recorded_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class ClipsPage:
    """``address``: of this list; ``newest``, ``older``: of other pages of it. ``has_clips``: anywhere."""

    template: ClassVar[str] = "clips.html"

    frame: Frame
    folders: tuple[FolderLine, ...]
    filters: ClipFilters
    clips: tuple[ClipCard, ...]
    address: str
    newest: str | None
    older: str | None
    has_clips: bool


@dataclass(frozen=True)
class ClipForm:
    """What the forms ask for. ``folders``: names that are there already; ``consents``: states that may be
    chosen."""

    title: str
    folder: str
    note: str
    folders: tuple[str, ...]
    consents: tuple[Choice, ...]
    recorded_by: str


@dataclass(frozen=True)
class EditClip:
    template: ClassVar[str] = "edit_clip.html"
    dialog: ClassVar[str] = "edit_clip_question.html"

    frame: Frame
    clip_id: str
    form: ClipForm
    next_address: str


@dataclass(frozen=True)
class DeleteClip:
    template: ClassVar[str] = "delete_clip.html"
    dialog: ClassVar[str] = "delete_clip_question.html"

    frame: Frame
    clip_id: str
    title: str
    call_id: str
    next_address: str
