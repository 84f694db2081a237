"""Corrections of what segments say, as clients send and get them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.core.readable import is_readable
from app.schemas.correction import CorrectText

LONGEST_SEGMENT = 5000


class TextPatch(BaseModel):
    """What a segment says."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"text": "That is too expensive for our budget."}}
    )

    text: str = Field(max_length=LONGEST_SEGMENT)

    @field_validator("text")
    @classmethod
    def _spoken(cls, value: str) -> str:
        text = " ".join(value.split())
        if not is_readable(text) or not any(map(str.isalnum, text)):
            raise ValueError("must be printable characters, with at least one word")
        return text


class CorrectionModel(BaseModel):
    """A correction of what one segment says; times are seconds from the start of the recording."""

    id: str
    segment: int | None = Field(
        description="The segment's index; null where the present result has no segment that it fits."
    )
    applied: bool = Field(description="Whether the present result says what is right.")
    original: str
    corrected: str
    start_time: float
    end_time: float
    corrected_at: datetime

    @classmethod
    def of(cls, correction: CorrectText) -> CorrectionModel:
        return cls(
            id=correction.id,
            segment=correction.segment,
            applied=correction.segment is not None,
            original=correction.heard,
            corrected=correction.text,
            start_time=round(correction.start_s, 3),
            end_time=round(correction.end_s, 3),
            corrected_at=correction.corrected_at,
        )


class CallCorrections(BaseModel):
    """All corrections of a call's text, in order of time."""

    items: list[CorrectionModel]

    @classmethod
    def of(cls, corrections: Iterable[CorrectText]) -> CallCorrections:
        return cls(items=[CorrectionModel.of(correction) for correction in corrections])
