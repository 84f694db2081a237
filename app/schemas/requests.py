"""The HTTP vocabulary: what clients send, as OpenAPI shows it."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from app.core.readable import is_readable
from app.schemas.analysis import CallStatus
from app.schemas.call import CallFilter, CallOptions
from app.schemas.languages import ISO_639_1
from app.schemas.moment import MomentType, TimedMomentType
from app.schemas.playbook import PLAYBOOK_PATTERN
from app.schemas.speaker import (
    MergeSpeakers,
    NameSpeaker,
    Role,
    SetRole,
    SpeakerEdit,
    SwapSpeakers,
)

ID_PATTERN = r"^[A-Za-z0-9._:-]{1,128}$"
PARTY_PATTERN = r"^[A-Za-z0-9._:@+-]{1,128}$"
"""Agents, teams and customers: what dialers know them by is often an e-mail address or a telephone number."""
PARTIES = ("agent_id", "team_id", "customer_id")
MOST_METADATA = 50
LONGEST_METADATA = 1024
MOST_SPEAKERS = 10
MOST_TERMS = 200
MOMENT_KINDS = tuple(kind.value for kind in (*MomentType, *TimedMomentType))


def _blank_is_absent(value: object) -> object:
    return None if value == "" else value


def _is_id(value: str) -> str:
    if not re.fullmatch(ID_PATTERN, value) or value in (".", ".."):
        raise ValueError("must be 1 to 128 of A-Z a-z 0-9 . _ : - and neither . nor ..")
    return value


def _is_party(value: str) -> str:
    if not re.fullmatch(PARTY_PATTERN, value) or value in (".", ".."):
        raise ValueError("must be 1 to 128 of A-Z a-z 0-9 . _ : @ + - and neither . nor ..")
    return value


def _known_moment(value: str) -> str:
    if value not in MOMENT_KINDS:
        raise ValueError(f"must be one of {', '.join(MOMENT_KINDS)}")
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("must be within the years 1 to 9999 in UTC") from None


def _known_language(value: str) -> str:
    code = value.lower()
    if code not in ISO_639_1:
        raise ValueError("must be an ISO 639-1 code such as en")
    return code


UtcTime = Annotated[datetime, AfterValidator(_utc)]
"""A time in UTC; one without a zone is taken as UTC."""
Id = Annotated[str, AfterValidator(_is_id), Field(examples=["CALL-001"])]
PartyId = Annotated[str, AfterValidator(_is_party), Field(examples=["agent-7"])]
Term = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
MomentKind = Annotated[
    str, AfterValidator(_known_moment), WithJsonSchema({"type": "string", "enum": list(MOMENT_KINDS)})
]
Language = Annotated[str, AfterValidator(_known_language), Field(examples=["en"])]
"""An ISO 639-1 code, in lower case."""
SpeakerId = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,64}$", examples=["speaker_0"])]


class CallForm(BaseModel):
    """The fields that come with a recording. An empty field counts as absent."""

    model_config = ConfigDict(extra="forbid")

    call_id: Id | None = None
    agent_id: PartyId | None = None
    team_id: PartyId | None = None
    customer_id: PartyId | None = None
    language: str | None = None
    started_at: UtcTime | None = None
    direction: Literal["inbound", "outbound"] | None = None
    agent_channel: Literal[0, 1] | None = None
    num_speakers: int | None = Field(None, ge=1, le=MOST_SPEAKERS)
    vocabulary: tuple[Term, ...] | None = Field(None, max_length=MOST_TERMS)
    playbook: str | None = Field(None, pattern=PLAYBOOK_PATTERN)
    metadata: dict[str, str] = {}
    webhook_url: str | None = Field(None, max_length=2048)
    priority: int | None = Field(None, ge=0, le=9)

    @field_validator("*", mode="before")
    @classmethod
    def _empty(cls, value: object) -> object:
        return _blank_is_absent(value)

    @field_validator("agent_channel", mode="before")
    @classmethod
    def _channel(cls, value: object) -> object:
        return int(value) if value in ("0", "1") else value

    @field_validator("vocabulary", mode="before")
    @classmethod
    def _terms(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(dict.fromkeys(term.strip() for term in value.split(",") if term.strip())) or None
        return value

    @field_validator("num_speakers", mode="before")
    @classmethod
    def _count(cls, value: object) -> object:
        return None if value == "auto" else value

    @field_validator("language")
    @classmethod
    def _language(cls, value: str | None) -> str | None:
        return value if value is None else _known_language(value)

    @property
    def options(self) -> CallOptions:
        """What of this alters the result."""
        return CallOptions(
            self.language, self.agent_channel, self.num_speakers, self.vocabulary, self.playbook
        )

    @field_validator("metadata", mode="after")
    @classmethod
    def _bounded(cls, value: dict[str, str]) -> dict[str, str]:
        if len(value) > MOST_METADATA:
            raise ValueError(f"at most {MOST_METADATA} entries")
        if any("\x00" in key or "\x00" in text for key, text in value.items()):
            raise ValueError("keys and values may not hold NUL")
        if any(len(key) > LONGEST_METADATA or len(text) > LONGEST_METADATA for key, text in value.items()):
            raise ValueError(f"keys and values have at most {LONGEST_METADATA} characters")
        return value


class CallFilterQuery(BaseModel):
    """What calls are narrowed to."""

    model_config = ConfigDict(extra="forbid")

    agent_id: PartyId | None = None
    team_id: PartyId | None = None
    customer_id: PartyId | None = None
    status: CallStatus | None = None
    moment_type: MomentKind | None = None
    date_from: UtcTime | None = Field(None, description="Taken in at or after this time.")
    date_to: UtcTime | None = Field(None, description="Taken in at or before this time.")
    legal_hold: bool | None = Field(None, description="Only calls under legal hold, or only others.")
    direction: Literal["inbound", "outbound"] | None = None
    min_duration_s: float | None = Field(None, ge=0, description="At least so many seconds long.")
    max_duration_s: float | None = Field(None, ge=0, description="At most so many seconds long.")
    q: str | None = Field(
        None,
        max_length=200,
        description=(
            'Words and "quoted phrases" that the current transcript holds, whatever their case and accents. '
            "The last word counts as a beginning unless a blank or a quote follows."
        ),
        examples=['"too expensive" budget'],
    )

    @property
    def filters(self) -> CallFilter:
        names = (field.name for field in fields(CallFilter))
        return CallFilter(**{name: getattr(self, name) for name in names})

    @field_validator("q")
    @classmethod
    def _blank_query(cls, value: str | None) -> str | None:
        return value if value and value.strip() else None


class CallQuery(CallFilterQuery):
    """A page of what calls are narrowed to."""

    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=512, description="`next_cursor` of the page before.")


class CallPatch(BaseModel):
    """What is to be another about a call; a field that is left out stays as it is."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"agent_id": "agent-7", "legal_hold": True}}
    )

    agent_id: PartyId | None = Field(None, description="Who spoke for your side; null takes it away.")
    team_id: PartyId | None = Field(None, description="The agent's team; null takes it away.")
    customer_id: PartyId | None = Field(None, description="Who was called; null takes it away.")
    legal_hold: bool | None = Field(
        None, description="`true`: nothing of the call is removed until it is `false` again."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.parties and self.legal_hold is None:
            raise ValueError("names no change: give agent_id, team_id, customer_id or legal_hold")
        return self

    @property
    def parties(self) -> dict[str, str | None]:
        """Those that are named, with their new ids."""
        return {name: getattr(self, name) for name in PARTIES if name in self.model_fields_set}


class SpeakerCorrection(BaseModel):
    """What is right about one speaker; a field that is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=128, description="null takes the name away.")
    role: Role | None = None

    @field_validator("name")
    @classmethod
    def _printable(cls, value: str | None) -> str | None:
        if value is not None and (not value.strip() or not is_readable(value)):
            raise ValueError("must be one line of printable characters")
        return value and value.strip()

    @field_validator("role")
    @classmethod
    def _given(cls, value: Role | None) -> Role:
        if value is None:
            raise ValueError("must be agent, customer or unknown")
        return value


class SpeakerMerge(BaseModel):
    """What `speaker` said was said by `into`."""

    model_config = ConfigDict(extra="forbid")

    speaker: SpeakerId
    into: SpeakerId


class SpeakersPatch(BaseModel):
    """Corrections of who spoke, made in this order: merge, swap, then names and roles."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "swap": ["speaker_0", "speaker_1"],
                "speakers": {"speaker_1": {"name": "Emily", "role": "agent"}},
            }
        },
    )

    merge: list[SpeakerMerge] = Field([], max_length=20)
    swap: tuple[SpeakerId, SpeakerId] | None = Field(
        None, description="Exchange the roles and names of two speakers."
    )
    speakers: dict[SpeakerId, SpeakerCorrection] = Field({}, max_length=20)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.edits:
            raise ValueError("names no correction: give merge, swap or speakers")
        return self

    @property
    def edits(self) -> tuple[SpeakerEdit, ...]:
        """The corrections one by one."""
        edits: list[SpeakerEdit] = [MergeSpeakers(merge.speaker, merge.into) for merge in self.merge]
        if self.swap is not None:
            edits.append(SwapSpeakers(*self.swap))
        for speaker, right in self.speakers.items():
            if "name" in right.model_fields_set:
                edits.append(NameSpeaker(speaker, right.name))
            if right.role is not None:
                edits.append(SetRole(speaker, right.role))
        return tuple(edits)


class RerunRequest(BaseModel):
    """Where the work on a finished call begins again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"from": "broken"}})

    start: Literal["broken", "transcription", "diarization", "analysis"] = Field(
        "broken",
        alias="from",
        description=(
            "`broken`: the stage that failed. What later stages need to begin in the middle is kept of calls "
            "in which a stage failed; others are transcribed again."
        ),
    )


class ReanalyzeRequest(BaseModel):
    """By which playbook the words of a call are judged again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"playbook": "renewals"}})

    playbook: str | None = Field(
        None,
        pattern=PLAYBOOK_PATTERN,
        description="Its name; the one that the call asks for where it is missing.",
    )
    revision: str | None = Field(
        None, min_length=1, max_length=64, description="A published one; the current one where it is missing."
    )


class SpeakRequest(BaseModel):
    """Text to be spoken."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"text": "Hello, how can I help you?", "language": "en"}},
    )

    text: str = Field(min_length=1)
    language: Annotated[str, BeforeValidator(lambda value: value or "en")] = "en"
    format: Literal["mp3", "wav"] = "mp3"

    @field_validator("text")
    @classmethod
    def _something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must hold something to say")
        return value

    @field_validator("language")
    @classmethod
    def _language(cls, value: str) -> str:
        return _known_language(value)
