"""The reel of a call: what it is narrowed to, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.web.contexts.base import Choice
from app.web.contexts.frame import Frame


@dataclass(frozen=True)
class ReelForm:
    """What a reel may be. ``kinds``: types of the call's moments. ``lengths``: in seconds, empty: any."""

    sources: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    roles: tuple[Choice, ...]
    lengths: tuple[Choice, ...]


@dataclass(frozen=True)
class ChapterShown:
    """A moment of a reel: from ``start_s`` of the reel, and from ``call_start_s`` of the recording.

    ``unspoken``: what no voice could be had for.
    """

    moment_id: str
    kind: str
    subtype: str | None
    title: str
    start_s: float
    call_start_s: float
    unspoken: tuple[str, ...]


@dataclass(frozen=True)
class ReelShown:
    """``voices``: the engines that spoke, empty where none did."""

    reel_id: str
    duration_s: float
    voices: str
    chapters: tuple[ChapterShown, ...]


@dataclass(frozen=True)
class ReelPage:
    """The reel on a page of its own, where no script runs."""

    template: ClassVar[str] = "reel.html"

    frame: Frame
    call_id: str
    reel: ReelShown


@dataclass(frozen=True)
class ReelOnly:
    template: ClassVar[str] = "call_reel.html"

    call_id: str
    reel: ReelShown
