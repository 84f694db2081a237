"""The HTTP vocabulary of playbooks: what clients send and get, as OpenAPI shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.playbook import (
    PLAYBOOK_PATTERN,
    KnownPlaybook,
    PlaybookRevision,
    PlaybookSource,
    RevisionFacts,
    RevisionState,
)

REVISION_PATTERN = r"^[0-9a-f]{12}$"
PlaybookName = Annotated[str, Field(pattern=PLAYBOOK_PATTERN, examples=["acme"])]
RevisionId = Annotated[str, Field(pattern=REVISION_PATTERN, examples=["f023ff890997"])]

EXAMPLE_YAML = """\
name: acme
version: "1"
rules:
  - id: price_too_high
    type: objection
    subtype: price
    role: customer
    confidence: 0.8
    why: The customer gives price as a reason not to go ahead.
    tip: Ask what it is compared with.
    condition:
      phrases: ["too expensive", "over [our|the] budget"]
    match: ["That is too expensive for us."]
    no_match: ["It was expensive to build."]
"""


EXAMPLE_REVISION: dict[str, Any] = {
    "name": "acme",
    "revision": "f023ff890997",
    "version": "1",
    "rules": 1,
    "languages": ["en"],
    "state": "published",
    "created_at": "2026-02-21T09:30:00Z",
    "updated_at": "2026-02-21T09:41:12Z",
    "published_at": "2026-02-21T10:00:00Z",
}


class DraftText(BaseModel):
    """The text of a playbook, as JSON."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"yaml": EXAMPLE_YAML}})

    yaml: str = Field(description="At most 2 MB (2^21 bytes).")


class NewPlaybook(DraftText):
    """The text of a new draft; without a `name` its own counts."""

    name: PlaybookName | None = None


class PublishRequest(BaseModel):
    """The revision that calls are to be analysed by."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"revision": "f023ff890997"}})

    revision: RevisionId = Field(description="The draft's, or one that was published before.")


class RevisionModel(BaseModel):
    """A revision without its text. Its id is a hash of what it says: comments and layout do not alter it."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_REVISION})

    name: PlaybookName
    revision: RevisionId
    version: str = Field(description="What its author calls it.")
    rules: int = Field(description="How many rules it has, in all languages.", examples=[36])
    languages: list[str] = Field(
        description="Those that it has rules in words for; calls in others get moments found in time alone.",
        examples=[["en", "es"]],
    )
    state: RevisionState
    created_at: datetime | None = Field(description="null for a file, as the other times are.")
    updated_at: datetime | None
    published_at: datetime | None

    @classmethod
    def of(cls, facts: RevisionFacts) -> RevisionModel:
        return cls.model_validate(facts, from_attributes=True)


class RevisionWithText(RevisionModel):
    """A revision with its text as its author wrote it."""

    model_config = ConfigDict(
        json_schema_extra={"example": {**EXAMPLE_REVISION, "source": "row", "yaml": EXAMPLE_YAML}}
    )

    source: PlaybookSource = Field(description="`row`: stored here; `file`: a file of the service.")
    yaml: str

    @classmethod
    def whole(cls, revision: PlaybookRevision, source: PlaybookSource) -> RevisionWithText:
        return cls(**RevisionModel.of(revision.facts).model_dump(), source=source, yaml=revision.yaml)


class PlaybookEntry(BaseModel):
    """A name that calls may ask for, or that has a draft."""

    name: PlaybookName
    source: PlaybookSource = Field(description="Where `current` comes from; a published row beats a file.")
    current: RevisionModel | None = Field(
        description="What calls are analysed by; null before the first is published, and for a broken file."
    )
    draft: RevisionModel | None

    @classmethod
    def of(cls, known: KnownPlaybook) -> PlaybookEntry:
        return cls(
            name=known.name,
            source=known.source,
            current=RevisionModel.of(known.current) if known.current else None,
            draft=RevisionModel.of(known.draft) if known.draft else None,
        )


class PlaybookList(BaseModel):
    """All playbooks, by name; `default` is the one that holds for calls that ask for none."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [{"name": "acme", "source": "row", "current": EXAMPLE_REVISION, "draft": None}],
                "default": "default",
            }
        }
    )

    items: list[PlaybookEntry]
    default: PlaybookName = Field(description="The setting PLAYBOOK.")


class RevisionEntry(RevisionModel):
    """One revision of a list."""

    model_config = ConfigDict(json_schema_extra={"example": {**EXAMPLE_REVISION, "is_current": True}})

    is_current: bool


class RevisionList(BaseModel):
    """The draft, the published revisions, the latest first, and the file, where there is one."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [{**EXAMPLE_REVISION, "is_current": True}]}}
    )

    items: list[RevisionEntry]

    @classmethod
    def of(cls, revisions: tuple[RevisionFacts, ...], current: str | None) -> RevisionList:
        return cls(
            items=[
                RevisionEntry(
                    **RevisionModel.of(facts).model_dump(),
                    is_current=facts.state is RevisionState.PUBLISHED and facts.revision == current,
                )
                for facts in revisions
            ]
        )
