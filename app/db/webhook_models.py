"""The tables of webhooks: addresses that are told of calls, and every message to one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models import Base
from app.db.types import IdText


class WebhookEndpointRow(Base):
    """An address with its secrets, which are kept as they are: each delivery is signed with them."""

    __tablename__ = "webhook_endpoints"

    id: Mapped[str] = mapped_column(IdText, primary_key=True)
    url: Mapped[str]
    events: Mapped[list[Any]]
    description: Mapped[str | None]
    enabled: Mapped[bool]
    disabled_reason: Mapped[str | None]
    secret: Mapped[str]
    previous_secret: Mapped[str | None]
    previous_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class WebhookDeliveryRow(Base):
    """One message; ``id`` is the `webhook-id` of every attempt.

    ``endpoint_id`` or, for an address that the call named itself, ``url`` is set. ``destination`` groups what
    goes to the same receiver. No foreign key to the call: a delivery outlives it, without its payload.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_due", "status", "next_attempt_at"),
        Index("ix_webhook_deliveries_endpoint", "endpoint_id", "created_at", "id"),
        Index("ix_webhook_deliveries_call", "call_id", "created_at", "id"),
        Index("ix_webhook_deliveries_created", "created_at"),
    )

    id: Mapped[str] = mapped_column(IdText, primary_key=True)
    endpoint_id: Mapped[str | None] = mapped_column(
        IdText, ForeignKey("webhook_endpoints.id", ondelete="CASCADE")
    )
    url: Mapped[str | None]
    destination: Mapped[str]
    call_id: Mapped[str | None] = mapped_column(IdText)
    event: Mapped[str]
    payload: Mapped[str | None]
    status: Mapped[str]
    attempts: Mapped[int]
    step: Mapped[int]
    response_code: Mapped[int | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    last_attempt_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    lease_owner: Mapped[str | None]
    leased_until: Mapped[datetime | None]
