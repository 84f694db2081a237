"""How right the rules of a playbook are, as clients are told."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.playbook_models import PlaybookName
from app.schemas.rule_report import RulePrecision


class RulePrecisionModel(BaseModel):
    """Verdicts on the moments that a rule found. `precision` = `right` / `reviewed`."""

    rule: str = Field(examples=["price_too_high"])
    reviewed: int
    right: int
    wrong: int = Field(description="No moment at all.")
    other: int = Field(description="A moment, but of another type.")
    precision: float = Field(ge=0, le=1)
    precision_low: float = Field(
        ge=0, le=1, description="With 95 % confidence it is not under this (Wilson's interval)."
    )
    precision_high: float = Field(ge=0, le=1)
    instead: dict[str, int] = Field(
        description="How often each other type was the right one, the most frequent first.",
        examples=[{"objection/timing": 2}],
    )

    @classmethod
    def of(cls, found: RulePrecision) -> RulePrecisionModel:
        return cls(**_fields(found))


class RevisionPrecisionModel(RulePrecisionModel):
    """The same of one revision; a rule that was changed starts anew here."""

    revision: str
    is_current: bool

    @classmethod
    def of_revision(cls, found: RulePrecision, current: str | None) -> RevisionPrecisionModel:
        return cls(**_fields(found), revision=found.revision or "", is_current=found.revision == current)


class PlaybookReport(BaseModel):
    """How right each rule is by reviewers' verdicts. A rule without verdicts is not listed."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "playbook": "acme",
                "current": "f023ff890997",
                "rules": [
                    {
                        "rule": "price_too_high",
                        "reviewed": 12,
                        "right": 9,
                        "wrong": 1,
                        "other": 2,
                        "precision": 0.75,
                        "precision_low": 0.4677,
                        "precision_high": 0.9111,
                        "instead": {"objection/timing": 2},
                    }
                ],
                "revisions": [],
            }
        }
    )

    playbook: PlaybookName
    current: str | None
    rules: list[RulePrecisionModel] = Field(description="Over all revisions.")
    revisions: list[RevisionPrecisionModel]

    @classmethod
    def of(
        cls,
        playbook: str,
        current: str | None,
        rules: Iterable[RulePrecision],
        revisions: Iterable[RulePrecision],
    ) -> PlaybookReport:
        return cls(
            playbook=playbook,
            current=current,
            rules=[RulePrecisionModel.of(rule) for rule in rules],
            revisions=[RevisionPrecisionModel.of_revision(rule, current) for rule in revisions],
        )


def _fields(found: RulePrecision) -> dict[str, object]:
    return {
        "rule": found.rule,
        "reviewed": found.reviewed,
        "right": found.right,
        "wrong": found.wrong,
        "other": found.other,
        "precision": round(found.precision, 4),
        "precision_low": round(found.low, 4),
        "precision_high": round(found.high, 4),
        "instead": found.instead,
    }
