"""Trying a draft, as clients ask for it and are told of it."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.schemas.analyze_models import MOST_SEGMENTS, GivenSegmentModel
from app.schemas.moment_models import EvidenceModel, MomentModel
from app.schemas.playbook_models import EXAMPLE_YAML, PlaybookName, RevisionId
from app.schemas.requests import Id, Language, UtcTime
from app.schemas.trial import MOST_CALLS, MOST_HITS, Hit, Hits, Since, Trial

LONGEST_TEXT = 200_000


class LatestCalls(BaseModel):
    """The latest calls, newest first."""

    model_config = ConfigDict(extra="forbid")

    since: UtcTime | None = Field(None, description="Taken in at or after this time.")
    limit: int = Field(50, ge=1, le=MOST_CALLS)


class TryRequest(BaseModel):
    """What a draft is tried on: `calls`, `text` or `segments`, one of them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"calls": {"since": "2026-02-01T00:00:00Z", "limit": 100}},
                {"yaml": EXAMPLE_YAML, "text": "Agent: What do you think?\nCustomer: It is too expensive."},
            ]
        },
    )

    yaml: str | None = Field(None, description="The text that is tried; without it the stored draft.")
    calls: Annotated[list[Id], Field(min_length=1, max_length=MOST_CALLS)] | LatestCalls | None = Field(
        None, description=f"Ids of stored calls, or the latest ones; at most {MOST_CALLS}."
    )
    text: str | None = Field(
        None,
        min_length=1,
        max_length=LONGEST_TEXT,
        description="Lines of a transcript: `Agent: …`, `Customer: …`, or a name for an unknown role.",
    )
    segments: list[GivenSegmentModel] | None = Field(
        None, min_length=1, max_length=MOST_SEGMENTS, description="As for `POST /analyze`."
    )
    language: Annotated[Language, BeforeValidator(lambda value: value or "en")] = Field(
        "en", description="Of `text` and `segments`; a stored call has its own."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(given is not None for given in (self.calls, self.text, self.segments)) != 1:
            raise ValueError("give one of calls, text and segments")
        return self

    @property
    def wanted_calls(self) -> list[str] | Since | None:
        if isinstance(self.calls, LatestCalls):
            return Since(self.calls.since, self.calls.limit)
        return self.calls


_HIT: dict[str, Any] = {
    "call_id": "CALL-001",
    "segment": 1,
    "speaker": "speaker_1",
    "role": "customer",
    "type": "objection",
    "subtype": "price",
    "rule": "price_too_high",
    "confidence": 0.8,
    "evidence": {
        "text": "too expensive",
        "start_char": 36,
        "end_char": 49,
        "start_time": 6.1,
        "end_time": 7.0,
    },
}
_EXAMPLE: dict[str, Any] = {
    "playbook": "acme",
    "draft": "3b1568e9b6e1",
    "current": "f023ff890997",
    "calls": 1,
    "skipped": [{"call_id": "CALL-002", "reason": "text_deleted"}],
    "not_tried": 0,
    "hits": {"count": 1, "items": [_HIT]},
    "only_in_draft": {"count": 1, "items": [_HIT]},
    "only_in_current": {"count": 0, "items": []},
    "rules": [{"rule": "price_too_high", "draft": 1, "current": 0}],
}


class HitModel(BaseModel):
    """A moment that a playbook finds, as it would stand in a result."""

    call_id: str | None = Field(description="null in a text that was sent along.")
    segment: int | None
    speaker: str | None
    role: str
    type: str
    subtype: str | None
    rule: str
    confidence: float = Field(ge=0, le=1)
    evidence: EvidenceModel

    @classmethod
    def of(cls, hit: Hit) -> HitModel:
        shown = MomentModel.of(hit.moment)
        if not hit.is_timed:
            shown.evidence.start_time = shown.evidence.end_time = None
        fields = {name: value for name, value in dict(shown).items() if name in cls.model_fields}
        return cls(call_id=hit.call_id, **fields)


class HitList(BaseModel):
    """Hits in the order of calls and times."""

    count: int
    items: list[HitModel] = Field(description=f"The first {MOST_HITS} of them.")

    @classmethod
    def of(cls, hits: Hits) -> HitList:
        return cls(count=hits.count, items=[HitModel.of(hit) for hit in hits.shown])


class RuleHits(BaseModel):
    """How often a rule's finding stood in the result, by the draft and by the current revision."""

    rule: str
    draft: int
    current: int


class SkippedCall(BaseModel):
    """A call that could not be tried: `call_not_found`, `call_not_ready` or `text_deleted`."""

    call_id: str
    reason: str


class TryResult(BaseModel):
    """What the draft finds, and what it and the current revision find apart. Nothing was written.

    Two findings are the same where segment, type and subtype are, whichever rule found them.
    """

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    playbook: PlaybookName
    draft: RevisionId
    current: RevisionId | None = Field(description="null where nothing is published under this name.")
    calls: int = Field(description="Calls that were tried; 1 for a text that was sent along.")
    skipped: list[SkippedCall]
    not_tried: int = Field(description="Calls that were left when the time was over (20 s): ask for fewer.")
    hits: HitList = Field(description="All that the draft finds.")
    only_in_draft: HitList
    only_in_current: HitList
    rules: list[RuleHits]

    @classmethod
    def of(cls, trial: Trial) -> TryResult:
        names = sorted(trial.draft_rules.keys() | trial.current_rules.keys())
        return cls(
            playbook=trial.playbook,
            draft=trial.draft,
            current=trial.current,
            calls=trial.tried,
            skipped=[SkippedCall(call_id=call.call_id, reason=call.reason) for call in trial.skipped],
            not_tried=trial.not_tried,
            hits=HitList.of(trial.found),
            only_in_draft=HitList.of(trial.only_draft),
            only_in_current=HitList.of(trial.only_current),
            rules=[
                RuleHits(rule=rule, draft=trial.draft_rules[rule], current=trial.current_rules[rule])
                for rule in names
            ],
        )
