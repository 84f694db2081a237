"""The HTTP vocabulary of health: whether the process lives and whether it can work, as OpenAPI shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.call import Queue


class Health(BaseModel):
    """The process is alive."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"status": "healthy", "version": "1.0.0", "timestamp": "2026-02-21T00:00:00Z"}
        }
    )

    status: Literal["healthy"] = "healthy"
    version: str
    timestamp: datetime


class EngineCheck(BaseModel):
    """The engine that would answer now; ``engines`` lists the whole chain."""

    engine: str | None
    state: Literal["ready", "loading", "unavailable"]
    degraded: bool
    reason: str | None
    fix: str | None
    engines: list[dict[str, str | None]] = []


class QueueCheck(BaseModel):
    """Whether a queue is served; ``workers`` counts the processes that could take a call from it now."""

    state: Literal["served", "unserved"]
    workers: int


class ReadyChecks(BaseModel):
    service: str = "ok"
    database: str
    database_replica: str | None = Field(
        None, description="`ok`, or why the primary answers for it; null without DATABASE_READ_URL."
    )
    storage: str
    engines: dict[str, EngineCheck]
    broker: str | None = Field(None, description="`ok`, or why workers are not told of calls at once.")
    queues: dict[Queue, QueueCheck] = Field(
        {}, description="Who does the work, where that is workers elsewhere; they have the engines then."
    )


class Readiness(BaseModel):
    """Whether calls can be taken in and analysed, and by which engines or workers.

    `degraded`: calls are taken in and kept, but wait until a worker comes, or longer than they need to.
    """

    status: Literal["ready", "degraded", "not_ready"]
    checks: ReadyChecks
