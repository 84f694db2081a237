"""Verdicts on moments, as clients send and get them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from app.schemas.moment import MomentType, ObjectionSubtype
from app.schemas.requests import MomentKind
from app.schemas.review import MomentReview, Opinion, Verdict

LONGEST_NOTE = 2000


class ReviewRequest(BaseModel):
    """A verdict on a moment."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"verdict": "right"},
                {"verdict": "wrong", "note": "small talk"},
                {"verdict": "other", "type": "objection", "subtype": "timing"},
            ]
        },
    )

    verdict: Verdict = Field(description="`other`: it is a moment, but of another type.")
    type: MomentKind | None = Field(
        None, validate_default=True, description="What it is, with the verdict `other`."
    )
    subtype: ObjectionSubtype | None = Field(None, validate_default=True, description="Of an `objection`.")
    note: str | None = Field(None, max_length=LONGEST_NOTE)

    @field_validator("note")
    @classmethod
    def _blank_is_absent(cls, value: str | None) -> str | None:
        return (value or "").strip() or None

    @field_validator("type")
    @classmethod
    def _with_other_alone(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "verdict" in info.data and (value is not None) != (info.data["verdict"] is Verdict.OTHER):
            raise ValueError("must be given with the verdict other, and with that alone")
        return value

    @field_validator("subtype")
    @classmethod
    def _of_an_objection(
        cls, value: ObjectionSubtype | None, info: ValidationInfo
    ) -> ObjectionSubtype | None:
        if "type" in info.data and (value is not None) != (info.data["type"] == MomentType.OBJECTION):
            raise ValueError("must be given with the type objection, and with that alone")
        return value

    @property
    def opinion(self) -> Opinion:
        return Opinion(self.verdict, self.type, self.subtype and self.subtype.value, self.note)


class ReviewModel(BaseModel):
    """A reviewer's verdict; `type` and `subtype`: what the moment is instead, where that is said."""

    verdict: Verdict
    type: str | None
    subtype: str | None
    note: str | None
    reviewed_at: datetime

    @classmethod
    def of(cls, review: MomentReview) -> ReviewModel:
        return cls(**_verdict(review))


class ReviewedMomentModel(BaseModel):
    """A moment as it was when the verdict was passed. Times are seconds from the start of the recording."""

    type: str
    subtype: str | None
    confidence: float
    source: str
    rule: str
    playbook: str
    revision: str
    role: str
    evidence: str
    start_time: float
    end_time: float

    @classmethod
    def of(cls, review: MomentReview) -> ReviewedMomentModel:
        moment = review.moment
        return cls(
            type=moment.type,
            subtype=moment.subtype,
            confidence=moment.confidence,
            source=moment.source,
            rule=moment.rule,
            playbook=moment.playbook,
            revision=moment.revision,
            role=moment.role,
            evidence=moment.evidence,
            start_time=round(moment.start_s, 3),
            end_time=round(moment.end_s, 3),
        )


class CallReviewModel(ReviewModel):
    """A verdict with the moment that it is about."""

    moment_id: str
    found: bool = Field(description="Whether the call's present result holds the moment.")
    moment: ReviewedMomentModel

    @classmethod
    def with_moment(cls, review: MomentReview, *, found: bool) -> CallReviewModel:
        return cls(
            **_verdict(review),
            moment_id=review.moment_id,
            found=found,
            moment=ReviewedMomentModel.of(review),
        )


class CallReviews(BaseModel):
    """All verdicts on moments of a call, in the order of the moments."""

    items: list[CallReviewModel]


def _verdict(review: MomentReview) -> dict[str, object]:
    opinion = review.opinion
    return {
        "verdict": opinion.verdict,
        "type": opinion.correct_type,
        "subtype": opinion.correct_subtype,
        "note": opinion.note,
        "reviewed_at": review.reviewed_at,
    }
