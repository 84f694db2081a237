"""A back catalogue: recordings in a folder, what is known of them, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from app.schemas.call import CallOptions


class Outcome(StrEnum):
    """What became of one file of a catalogue."""

    LOADED = "loaded"
    QUEUED = "queued"
    PRESENT = "already there"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Recording:
    """A file of the catalogue and the call that it is to become.

    ``name`` is its path below the folder. ``is_asked_for``: a table names it, so that it has to be one.
    """

    name: str
    path: Path
    call_id: str
    is_asked_for: bool = False
    agent_id: str | None = None
    team_id: str | None = None
    customer_id: str | None = None
    options: CallOptions = field(default_factory=CallOptions)
    started_at: datetime | None = None
    direction: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settled:
    """A file of which nothing more is to be done. ``code`` and ``detail`` say why it was not loaded;
    ``has_warnings``: its result names stages that failed."""

    name: str
    outcome: Outcome
    code: str | None = None
    detail: str | None = None
    has_warnings: bool = False


@dataclass(frozen=True)
class Catalogue:
    """What is to be loaded, in order, and what was settled by a look at the folder and the table alone."""

    recordings: tuple[Recording, ...]
    settled: tuple[Settled, ...] = ()
