"""The HTTP vocabulary: the state of a call, without what was found in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.analysis import CallStatus
from app.schemas.call import CallRecord
from app.schemas.models import FailureModel

STATE_EXAMPLE: dict[str, Any] = {
    "call_id": "CALL-001",
    "status": "queued",
    "stage": None,
    "percent": 0.0,
    "queue_position": 3,
    "attempts": 0,
    "error": None,
    "priority": 0,
    "duplicate_of": None,
    "created_at": "2026-02-21T10:00:00Z",
    "completed_at": None,
}


class CallState(BaseModel):
    """How far a call is. ``percent`` never falls while a call is in work, and is 100 only with a result."""

    model_config = ConfigDict(json_schema_extra={"example": STATE_EXAMPLE})

    call_id: str
    status: CallStatus
    stage: str | None = Field(description="The stage in work, or in which the call failed.")
    percent: float = Field(ge=0, le=100)
    queue_position: int | None = Field(description="Place in the queue, 1 is next; null unless it waits.")
    attempts: int = Field(description="How often the work was begun.")
    error: FailureModel | None = Field(description="Why the call, or its latest rerun, failed.")
    priority: int
    duplicate_of: str | None = Field(description="The first call with the same recording.")
    created_at: datetime
    completed_at: datetime | None

    @classmethod
    def of(cls, record: CallRecord, queue_position: int | None) -> CallState:
        failure = record.failure
        return cls(
            call_id=record.call_id,
            status=record.status,
            stage=failure.stage if failure else record.stage,
            percent=record.percent,
            queue_position=queue_position,
            attempts=record.attempts,
            error=FailureModel(code=failure.code, stage=failure.stage, detail=failure.detail)
            if failure
            else None,
            priority=record.priority,
            duplicate_of=record.duplicate_of,
            created_at=record.created_at,
            completed_at=record.completed_at,
        )
