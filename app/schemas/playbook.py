"""Stored playbooks: their revisions, drafts and what is known of each by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

PLAYBOOK_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"


class RevisionState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"


class PlaybookSource(StrEnum):
    """Where the playbook of a name comes from; a published row beats a file."""

    FILE = "file"
    ROW = "row"


@dataclass(frozen=True)
class RevisionFacts:
    """What is known of a revision without its text: the hash of its contents, its author's ``version``, how
    many ``rules`` it has, and for which ``languages`` those in words are. Times are aware and in UTC; a file
    has none."""

    name: str
    revision: str
    version: str
    rules: int
    languages: tuple[str, ...]
    state: RevisionState
    created_at: datetime | None = None
    updated_at: datetime | None = None
    published_at: datetime | None = None


@dataclass(frozen=True)
class PlaybookRevision:
    """A text of a playbook, as its author wrote it."""

    facts: RevisionFacts
    yaml: str

    @property
    def etag(self) -> str:
        """A hash of the very text, comments and layout too."""
        return sha256(self.yaml.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class KnownPlaybook:
    """A name with the revision that calls are analysed by, None before the first is published, and its draft.

    ``source`` says where ``current`` comes from.
    """

    name: str
    source: PlaybookSource
    current: RevisionFacts | None
    draft: RevisionFacts | None
