"""A moment, as clients get it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from app.schemas.moment import Moment, MomentSource
from app.schemas.review_models import ReviewModel


class EvidenceModel(BaseModel):
    """The words that show a moment: a span of the segment's text, and its time in the recording.

    Of a moment found in time the times are its own; its text may be empty.
    """

    text: str
    start_char: int
    end_char: int
    start_time: float | None = Field(
        description="Seconds from the start of the recording; null where the transcript came without times."
    )
    end_time: float | None


class MomentModel(BaseModel):
    """A stretch at which a coach would stop the tape."""

    id: str
    type: str
    subtype: str | None
    confidence: float = Field(ge=0, le=1)
    source: MomentSource
    segment: int | None = Field(description="Place in `segments`; null where it belongs to the call.")
    speaker: str | None
    role: str
    evidence: EvidenceModel
    rule: str
    why: str
    tip: str
    review: ReviewModel | None = Field(None, description="A reviewer's verdict on it.")

    @classmethod
    def of(cls, moment: Moment) -> MomentModel:
        evidence = moment.evidence
        return cls(
            id=moment.id,
            type=moment.type,
            subtype=moment.subtype,
            confidence=moment.confidence,
            source=MomentSource(moment.source),
            segment=moment.segment,
            speaker=moment.speaker,
            role=moment.role,
            evidence=EvidenceModel(
                text=evidence.text,
                start_char=evidence.start_char,
                end_char=evidence.end_char,
                start_time=round(evidence.start_s, 3),
                end_time=round(evidence.end_s, 3),
            ),
            rule=moment.rule,
            why=moment.why,
            tip=moment.tip,
        )
