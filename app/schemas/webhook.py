"""Webhooks: who is told, of what, and what became of the telling. Times are aware and in UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.schemas.analysis import CallStatus


class WebhookEvent(StrEnum):
    """What is told of a call: the state in which it ended."""

    COMPLETED = "call.completed"
    COMPLETED_WITH_WARNINGS = "call.completed_with_warnings"
    FAILED = "call.failed"
    CANCELLED = "call.cancelled"

    @classmethod
    def of(cls, status: CallStatus) -> WebhookEvent:
        """The event of a final state; raises ValueError for any other."""
        return cls(f"call.{status.value}")


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up; it can be sent again."""
    WITHDRAWN = "withdrawn"
    """Its call was deleted: there is nothing left to send."""


@dataclass(frozen=True)
class Secrets:
    """What an endpoint's deliveries are signed with; the previous one until ``previous_until``."""

    current: str = field(repr=False)
    previous: str | None = field(default=None, repr=False)
    previous_until: datetime | None = None

    def valid(self, now: datetime) -> tuple[str, ...]:
        """The newest first."""
        if self.previous is None or self.previous_until is None or self.previous_until <= now:
            return (self.current,)
        return (self.current, self.previous)


@dataclass(frozen=True)
class Endpoint:
    """An address that is told of calls. ``disabled_reason`` is set where the service itself disabled it."""

    id: str
    url: str
    events: tuple[WebhookEvent, ...]
    description: str | None
    enabled: bool
    disabled_reason: str | None
    secrets: Secrets
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class EndpointChange:
    """What of an endpoint is to be another; None leaves it as it is."""

    url: str | None = None
    events: tuple[WebhookEvent, ...] | None = None
    enabled: bool | None = None


@dataclass(frozen=True)
class Delivery:
    """One message to one address. ``id`` stays the same over all its attempts.

    ``endpoint_id`` is None where the call named the address itself; ``call_id`` is None once the call was
    deleted. ``attempts`` counts all that were made, ``response_code`` and ``error`` are the last one's.
    """

    id: str
    endpoint_id: str | None
    call_id: str | None
    event: WebhookEvent
    status: DeliveryStatus
    attempts: int
    response_code: int | None
    error: str | None
    created_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True)
class ClaimedDelivery:
    """A delivery that this process alone may send until ``leased_until``.

    ``step`` is its place in the schedule. ``secrets`` is None where the address is the call's own.
    """

    id: str
    endpoint_id: str | None
    destination: str = field(repr=False)
    url: str = field(repr=False)
    payload: str = field(repr=False)
    secrets: Secrets | None
    step: int
    leased_until: datetime


@dataclass(frozen=True)
class Attempt:
    """How one attempt ended. ``next_attempt_at`` is None after the last one, and after a success."""

    at: datetime
    status: DeliveryStatus
    response_code: int | None = None
    error: str | None = None
    next_attempt_at: datetime | None = None
