"""The HTTP vocabulary: what clients send, as OpenAPI shows it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from app.schemas.analysis import CallStatus
from app.schemas.languages import ISO_639_1
from app.schemas.moment import MomentType

ID_PATTERN = r"^[A-Za-z0-9._:-]{1,128}$"
MOST_METADATA = 50
LONGEST_METADATA = 1024


def _blank_is_absent(value: object) -> object:
    return None if value == "" else value


def _is_id(value: str) -> str:
    if not re.fullmatch(ID_PATTERN, value) or value in (".", ".."):
        raise ValueError("must be 1 to 128 of A-Z a-z 0-9 . _ : - and neither . nor ..")
    return value


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


UtcTime = Annotated[datetime, AfterValidator(_utc)]
"""A time in UTC; one without a zone is taken as UTC."""
Id = Annotated[str, AfterValidator(_is_id), Field(examples=["CALL-001"])]


class CallForm(BaseModel):
    """The fields that come with a recording. An empty field counts as absent."""

    model_config = ConfigDict(extra="forbid")

    call_id: Id | None = None
    agent_id: Id | None = None
    customer_id: Id | None = None
    language: str | None = None
    started_at: UtcTime | None = None
    direction: Literal["inbound", "outbound"] | None = None
    metadata: dict[str, str] = {}

    @field_validator("*", mode="before")
    @classmethod
    def _empty(cls, value: object) -> object:
        return _blank_is_absent(value)

    @field_validator("language")
    @classmethod
    def _language(cls, value: str | None) -> str | None:
        return value if value is None else _known_language(value)

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


def _known_language(value: str) -> str:
    code = value.lower()
    if code not in ISO_639_1:
        raise ValueError("must be an ISO 639-1 code such as en")
    return code


class CallQuery(BaseModel):
    """What a list of calls is narrowed to."""

    model_config = ConfigDict(extra="forbid")

    agent_id: Id | None = None
    customer_id: Id | None = None
    status: CallStatus | None = None
    moment_type: MomentType | None = None
    date_from: UtcTime | None = Field(None, description="Taken in at or after this time.")
    date_to: UtcTime | None = Field(None, description="Taken in at or before this time.")
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=512, description="`next_cursor` of the page before.")


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


class ReplayRequest(BaseModel):
    """The call whose moments are read out."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"call_id": "CALL-001"}})

    call_id: Id
