"""How calls in work are shared out, kept alive and taken over, and what is told of them."""

from __future__ import annotations

import re
from typing import Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from app.core.settings.values import NameList


class WorkSettings(BaseModel):
    # Work
    queue_url: str = Field(
        "",
        description=(
            "Broker that tells workers of waiting calls: `amqp://…` (RabbitMQ) or `redis://…`; empty: this "
            "process does the work itself."
        ),
    )
    queue_prefix: str = Field(
        "darwix",
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        description="What the names of this installation's queues at the broker begin with.",
    )
    heartbeat_s: float = Field(10, gt=0, description="Seconds between signs of life of a call in work.")
    lease_s: float = Field(
        30, gt=0, description="Seconds without one after which another worker takes the call."
    )
    reaper_s: float = Field(15, gt=0, description="Seconds between two looks for calls that were lost.")
    max_attempts: int = Field(
        3, ge=1, le=20, description="Times that a call is begun before it fails as `worker_lost`."
    )
    worker_max_calls: int = Field(
        1000,
        ge=0,
        description="Calls after which a worker, or the engine process, is replaced by a new one; 0: never.",
    )
    worker_metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port, on `HOST`, at which `python -m app worker` tells its own `/metrics`; 0: none.",
    )
    stop_grace_s: float = Field(
        20,
        ge=0,
        description="Seconds that calls in work may go on after SIGTERM before they are handed back.",
    )
    drain_s: float = Field(
        2,
        ge=0,
        le=60,
        description="Seconds after SIGTERM in which requests are still let in while `/ready` says 503.",
    )

    # Webhooks
    webhook_secret: SecretStr | None = Field(
        None, description="`whsec_…`: signs what is sent to the `webhook_url` of a call."
    )
    webhook_allowed_hosts: NameList = Field(
        (),
        description=(
            "Comma-separated hosts, `host:port` or networks (`10.0.0.0/8`) that webhooks may reach though "
            "they are not public or not https."
        ),
    )
    webhook_retention_days: int = Field(
        30, ge=1, le=3650, description="Days after which the record of a finished delivery is removed."
    )

    @field_validator("queue_url")
    @classmethod
    def _known_broker(cls, value: str) -> str:
        if value and not re.match(r"(amqps?|rediss?)://", value):
            raise ValueError("must start with amqp://, amqps://, redis:// or rediss://")
        return value

    @model_validator(mode="after")
    def _lease_outlives_heartbeat(self) -> Self:
        if self.lease_s < 2 * self.heartbeat_s:
            raise ValueError("LEASE_S must be at least twice HEARTBEAT_S")
        return self
