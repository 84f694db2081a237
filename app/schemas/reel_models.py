"""Reels, as clients ask for them and get them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.schemas.call import CallFilter
from app.schemas.moment import ObjectionSubtype
from app.schemas.reel import Cue, MomentFilter, MomentRef, Reel, ReelSource, ReelWish
from app.schemas.requests import Id, MomentKind, PartyId, UtcTime
from app.schemas.speaker import Role

LONGEST_S = 3600
MOST_NAMED = 100
MomentId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["m_4f1c0d9be27a55e1c3aa"])]


class ReelOptions(BaseModel):
    """What is heard of each moment, which moments, and how long it may take."""

    model_config = ConfigDict(extra="forbid")

    source: ReelSource = Field(
        ReelSource.TTS,
        description=(
            "`tts`: a voice tells each moment; `original`: its stretch of the recording; `narrated`: a "
            "spoken introduction, a chime, the recording, the tip spoken."
        ),
    )
    types: tuple[MomentKind, ...] = Field((), max_length=20, description="Only moments of these types.")
    subtypes: tuple[ObjectionSubtype, ...] = Field(
        (), max_length=10, description="Only moments with one of these subtypes: objections."
    )
    role: Role | None = Field(None, description="Only moments of speakers in this role.")
    min_confidence: float | None = Field(
        None, ge=0, le=1, description="Unset: those that count as coachable."
    )
    max_seconds: float | None = Field(
        None,
        gt=0,
        le=LONGEST_S,
        description="Keeps the moments of the highest confidence whose joint length fits.",
    )

    @property
    def filters(self) -> MomentFilter:
        return MomentFilter(tuple(self.types), tuple(self.subtypes), self.role, self.min_confidence)

    @property
    def wish(self) -> ReelWish:
        return ReelWish(self.source, self.max_seconds)


class ReplayRequest(ReelOptions):
    """The call whose moments are to be heard."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "call_id": "CALL-001",
                "source": "narrated",
                "types": ["objection"],
                "max_seconds": 180,
            }
        },
    )

    call_id: Id


class MomentName(BaseModel):
    """A moment of a call."""

    model_config = ConfigDict(extra="forbid")

    call_id: Id
    moment_id: MomentId


class ReelRequest(ReelOptions):
    """Moments of several calls: those that are named, or those that the filters leave."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "source": "narrated",
                "agent_id": "agent-7",
                "date_from": "2026-03-02T00:00:00Z",
                "types": ["objection"],
                "subtypes": ["price"],
                "max_seconds": 180,
            }
        },
    )

    moments: tuple[MomentName, ...] = Field(
        (), max_length=MOST_NAMED, description="These, in this order; no filter goes with it."
    )
    agent_id: PartyId | None = None
    team_id: PartyId | None = None
    customer_id: PartyId | None = None
    date_from: UtcTime | None = Field(None, description="Calls taken in at or after this time.")
    date_to: UtcTime | None = Field(None, description="Calls taken in at or before this time.")

    @model_validator(mode="after")
    def _either(self) -> Self:
        # With neither, it would be the surest moments of all calls: nobody means that by leaving all out.
        named = bool(self.moments)
        filtered = bool(self.model_fields_set - {"moments", "source", "max_seconds"})
        if named == filtered:
            raise ValueError("give either moments or filters")
        return self

    @property
    def refs(self) -> tuple[MomentRef, ...]:
        return tuple(MomentRef(name.call_id, name.moment_id) for name in self.moments)

    @property
    def calls(self) -> CallFilter:
        return CallFilter(
            agent_id=self.agent_id,
            team_id=self.team_id,
            customer_id=self.customer_id,
            date_from=self.date_from,
            date_to=self.date_to,
        )


class CueModel(BaseModel):
    """One moment of a reel, and where it is heard."""

    call_id: str
    moment_id: str
    type: str
    subtype: str | None
    title: str
    start_time: float = Field(description="Seconds from the start of the reel.")
    end_time: float
    call_start_time: float = Field(
        description="Seconds from the start of the recording: what is heard of it, else what is told of it."
    )
    call_end_time: float
    speaker: str | None
    role: str
    confidence: float
    tip: str
    unspoken: tuple[str, ...] = Field(
        description="What no voice could be had for: `intro`, `tip` or `moment`. A chime stands in for it."
    )

    @classmethod
    def of(cls, cue: Cue) -> CueModel:
        return cls(
            call_id=cue.call_id,
            moment_id=cue.moment_id,
            type=cue.type,
            subtype=cue.subtype,
            title=cue.title,
            start_time=cue.start_s,
            end_time=cue.end_s,
            call_start_time=cue.call_start_s,
            call_end_time=cue.call_end_s,
            speaker=cue.speaker,
            role=cue.role,
            confidence=cue.confidence,
            tip=cue.tip,
            unspoken=cue.unspoken,
        )


class ReelModel(BaseModel):
    """A rendered reel and its cues. Its MP3 is at `audio_url` until it is removed (404 then: ask anew)."""

    reel_id: str
    audio_url: str
    source: ReelSource
    duration_seconds: float
    engine: str | None = Field(description="The engines that spoke; null where none did.")
    created_at: datetime
    cues: list[CueModel]

    @classmethod
    def of(cls, reel: Reel) -> ReelModel:
        return cls(
            reel_id=reel.reel_id,
            audio_url=f"/reels/{reel.reel_id}",
            source=reel.source,
            duration_seconds=reel.duration_s,
            engine=reel.engine or None,
            created_at=reel.created_at,
            cues=[CueModel.of(cue) for cue in reel.cues],
        )
