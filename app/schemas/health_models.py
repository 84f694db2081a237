"""The HTTP vocabulary of health: whether the process lives and whether it can work, as OpenAPI shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


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


class ReadyChecks(BaseModel):
    service: str = "ok"
    database: str
    database_replica: str | None = Field(
        None, description="`ok`, or why the primary answers for it; null without DATABASE_READ_URL."
    )
    storage: str
    engines: dict[str, EngineCheck]


class Readiness(BaseModel):
    """Whether calls can be analysed now, and by which engines."""

    status: Literal["ready", "not_ready"]
    checks: ReadyChecks
