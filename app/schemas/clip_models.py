"""The HTTP vocabulary of clips, as OpenAPI shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.core.readable import is_readable
from app.schemas.audio import Span
from app.schemas.clip import (
    ClipChange,
    ClipFilter,
    ClipFolder,
    Consent,
    ConsentState,
    ExcerptLine,
    KeptClip,
    NewClip,
)
from app.schemas.comment import Keep
from app.schemas.comment_models import Author, CommentText, TimeSeconds
from app.schemas.requests import Id, MomentKind, PartyId, UtcTime

CLIP: dict[str, Any] = {
    "clip_id": "clip_5b0c6b1e4f1c0d9be27a",
    "call_id": "CALL-001",
    "agent_id": "agent-7",
    "team_id": "emea",
    "moment_id": "m_4f1c0d9be27a55e1c3aa",
    "folder": "Price objections",
    "title": "Objection: price",
    "note": "Asks what it is compared with, then waits.",
    "type": "objection",
    "subtype": "price",
    "start_time": 4.4,
    "end_time": 8.1,
    "duration_seconds": 3.7,
    "excerpt": [{"speaker": "speaker_1", "role": "customer", "text": "but it is too expensive for us"}],
    "consent": {"state": "recorded", "recorded_by": "Robin", "recorded_at": "2026-02-21T11:00:00Z"},
    "audio_bytes": 29_760,
    "created_at": "2026-02-21T11:02:00Z",
}


def _one_line(value: str) -> str:
    if not value.strip() or not is_readable(value):
        raise ValueError("must be one line of printable characters")
    return value.strip()


ShortText = Annotated[str, Field(max_length=128), AfterValidator(_one_line)]


class ConsentModel(BaseModel):
    """Whether those who are heard agreed that the clip is kept.

    `unknown`: the clip goes with the first sweep after the call's recording or words went for their age.
    `recorded`: it stays, with its own copy. `declined`: it is not made, and removed if it is there.
    """

    model_config = ConfigDict(extra="forbid")

    state: ConsentState = ConsentState.UNKNOWN
    recorded_by: Author = Field(None, description="Who took down that consent was given.")
    recorded_at: UtcTime | None = None

    @model_validator(mode="after")
    def _told_of_what_is_recorded(self) -> Self:
        if self.state is not ConsentState.RECORDED and (self.recorded_by or self.recorded_at):
            raise ValueError("recorded_by and recorded_at tell of recorded consent alone")
        return self

    @property
    def consent(self) -> Consent:
        return Consent(self.state, self.recorded_by, self.recorded_at)

    @classmethod
    def of(cls, consent: Consent) -> ConsentModel:
        return cls(state=consent.state, recorded_by=consent.recorded_by, recorded_at=consent.recorded_at)


class ClipRequest(BaseModel):
    """What is to be kept: a moment of the call, or a stretch of its recording of 0.5 s to 10 minutes."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "call_id": "CALL-001",
                "moment_id": "m_4f1c0d9be27a55e1c3aa",
                "folder": "Price objections",
                "note": "Asks what it is compared with, then waits.",
                "consent": {"state": "recorded", "recorded_by": "Robin"},
            }
        },
    )

    call_id: Id
    moment_id: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    start_seconds: TimeSeconds | None = None
    end_seconds: TimeSeconds | None = None
    folder: ShortText | None = None
    title: ShortText | None = Field(None, description="Made from the moment's type where it is missing.")
    note: CommentText | None = None
    consent: ConsentModel = ConsentModel()

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.start_seconds is None) != (self.end_seconds is None):
            raise ValueError("start_seconds and end_seconds come together")
        if (self.moment_id is None) == (self.start_seconds is None):
            raise ValueError("give either moment_id, or start_seconds and end_seconds")
        span = self._span
        if span is not None and span.end_s <= span.start_s:
            raise ValueError("end_seconds must be after start_seconds")
        return self

    @property
    def _span(self) -> Span | None:
        if self.start_seconds is None or self.end_seconds is None:
            return None
        return Span(self.start_seconds, self.end_seconds)

    @property
    def new(self) -> NewClip:
        return NewClip(
            call_id=self.call_id,
            moment_id=self.moment_id,
            span=self._span,
            folder=self.folder,
            title=self.title,
            note=self.note,
            consent=self.consent.consent,
        )


class ClipPatch(BaseModel):
    """What is to be another about a clip; a field that is left out stays as it is."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"folder": "Best of March", "title": "Waits it out"}}
    )

    folder: ShortText | None = Field(None, description="null takes it out of its folder.")
    title: ShortText | None = None
    note: CommentText | None = Field(None, description="null takes it away.")
    consent: ConsentModel | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.change == ClipChange():
            raise ValueError("names no change: give folder, title, note or consent")
        return self

    @property
    def change(self) -> ClipChange:
        given = self.model_fields_set
        return ClipChange(
            folder=self.folder if "folder" in given else Keep.KEEP,
            title=self.title,
            note=self.note if "note" in given else Keep.KEEP,
            consent=None if self.consent is None else self.consent.consent,
        )


class ClipQuery(BaseModel):
    """A page of what clips are narrowed to."""

    model_config = ConfigDict(extra="forbid")

    folder: str | None = Field(None, max_length=128, description="Empty: clips that lie in no folder.")
    type: MomentKind | None = None
    agent_id: PartyId | None = None
    team_id: PartyId | None = None
    call_id: Id | None = None
    consent: ConsentState | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=512, description="`next_cursor` of the page before.")

    @property
    def filters(self) -> ClipFilter:
        return ClipFilter(
            folder=self.folder,
            type=self.type,
            agent_id=self.agent_id,
            team_id=self.team_id,
            call_id=self.call_id,
            consent=self.consent,
        )


class ClipModel(BaseModel):
    """A clip; `GET /clips/{clip_id}/audio` is its sound. Times are seconds of the call's recording."""

    clip_id: str
    call_id: str
    agent_id: str | None
    team_id: str | None
    moment_id: str | None
    folder: str | None
    title: str
    note: str | None
    type: str | None = Field(description="Of the moment, as it was found when the clip was made.")
    subtype: str | None
    start_time: float
    end_time: float
    duration_seconds: float
    excerpt: list[ExcerptLine] = Field(description="What is said in it, as it was transcribed then.")
    consent: ConsentModel
    audio_bytes: int
    created_at: datetime

    @classmethod
    def of(cls, clip: KeptClip) -> ClipModel:
        return cls(
            clip_id=clip.id,
            call_id=clip.call_id,
            agent_id=clip.agent_id,
            team_id=clip.team_id,
            moment_id=clip.moment_id,
            folder=clip.folder,
            title=clip.title,
            note=clip.note,
            type=clip.type,
            subtype=clip.subtype,
            start_time=clip.start_s,
            end_time=clip.end_s,
            duration_seconds=round(clip.end_s - clip.start_s, 3),
            excerpt=list(clip.excerpt),
            consent=ConsentModel.of(clip.consent),
            audio_bytes=clip.audio_bytes,
            created_at=clip.created_at,
        )


class ClipPage(BaseModel):
    """A page of clips, newest first; ``next_cursor`` is null on the last."""

    items: list[ClipModel]
    next_cursor: str | None


class ClipFolders(BaseModel):
    """Every folder that holds a clip, in order of their names; clips in no folder under null."""

    items: list[ClipFolder]
