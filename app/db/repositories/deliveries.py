"""Messages to endpoints: which one is due, who sends it, and what came of it.

A process may send only what it has claimed, and write the outcome only while its claim holds: the lease,
named in every UPDATE, is what keeps two processes from sending the same message at the same time.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from app.db.models import table_of
from app.db.repositories.cursors import read_newest
from app.db.repositories.statements import touched
from app.db.repositories.webhooks import WebhookRepository
from app.db.webhook_models import WebhookDeliveryRow
from app.schemas.webhook import Attempt, ClaimedDelivery, Delivery, DeliveryStatus, WebhookEvent

ENDPOINT_DISABLED = "endpoint_disabled"
"""The ``error`` of deliveries that ended with their endpoint."""

_DELIVERIES = table_of(WebhookDeliveryRow)
_UNLEASED: dict[str, Any] = {"lease_owner": None, "leased_until": None}


class DeliveryRepository:
    """All SQL about deliveries, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, delivery_id: str) -> Delivery | None:
        query = select(_DELIVERIES).where(_DELIVERIES.c.id == delivery_id)
        row = self._session.execute(query).one_or_none()
        return None if row is None else _delivery_of(row)

    def page(
        self, limit: int, cursor: str | None, *, endpoint_id: str | None = None, call_id: str | None = None
    ) -> tuple[tuple[Delivery, ...], str | None]:
        """Newest first, of one endpoint or one call, and the cursor of the next page.

        Raises ValidationFailed for a cursor that this service did not make.
        """
        column, value = (
            (_DELIVERIES.c.call_id, call_id)
            if endpoint_id is None
            else (_DELIVERIES.c.endpoint_id, endpoint_id)
        )
        query = select(_DELIVERIES).where(column == value)
        place = _DELIVERIES.c.created_at, _DELIVERIES.c.id
        rows, following = read_newest(self._session, query, *place, limit, cursor)
        return tuple(_delivery_of(row) for row in rows), following

    def has_due(self, now: datetime, without: Collection[str]) -> bool:
        """Whether ``claim`` would find one."""
        query = select(_DELIVERIES.c.id).where(*_due(now, without)).limit(1)
        return self._session.execute(query).first() is not None

    def claim(
        self, owner: str, now: datetime, until: datetime, without: Collection[str]
    ) -> ClaimedDelivery | None:
        """Take the delivery that is due for longest, leaving aside the destinations of ``without``."""
        query = (
            select(_DELIVERIES)
            .where(*_due(now, without))
            .order_by(_DELIVERIES.c.next_attempt_at, _DELIVERIES.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = self._session.execute(query).one_or_none()
        if row is None:
            return None
        endpoint = None if row.endpoint_id is None else WebhookRepository(self._session).get(row.endpoint_id)
        if endpoint is not None and not endpoint.enabled:  # recorded while it was being disabled
            self.end_pending(endpoint.id)
            return None
        lease = {"lease_owner": owner, "leased_until": until}
        touched(self._session, update(_DELIVERIES).where(_DELIVERIES.c.id == row.id).values(lease))
        return ClaimedDelivery(
            id=row.id,
            endpoint_id=row.endpoint_id,
            destination=row.destination,
            url=row.url if endpoint is None else endpoint.url,
            payload=row.payload,
            secrets=None if endpoint is None else endpoint.secrets,
            step=row.step,
            leased_until=until,
        )

    def settle(self, claimed: ClaimedDelivery, owner: str, attempt: Attempt) -> bool:
        """Write down how an attempt ended; False when the claim is no longer ours."""
        values = {
            "status": attempt.status,
            "attempts": _DELIVERIES.c.attempts + 1,
            "step": claimed.step + 1,
            "response_code": attempt.response_code,
            "error": attempt.error,
            "last_attempt_at": attempt.at,
            "next_attempt_at": attempt.next_attempt_at,
            "delivered_at": attempt.at if attempt.status is DeliveryStatus.DELIVERED else None,
            **_UNLEASED,
        }
        return touched(self._session, update(_DELIVERIES).where(*_held(claimed, owner)).values(values)) == 1

    def let_go(self, claimed: ClaimedDelivery, owner: str) -> None:
        """Give a claimed delivery back that was not sent."""
        touched(self._session, update(_DELIVERIES).where(*_held(claimed, owner)).values(_UNLEASED))

    def lease_owners(self) -> frozenset[str]:
        """Whoever has claimed a delivery, alive or not."""
        owners = self._session.scalars(
            select(_DELIVERIES.c.lease_owner)
            .where(_DELIVERIES.c.status == DeliveryStatus.PENDING, _DELIVERIES.c.lease_owner.is_not(None))
            .distinct()
        )
        return frozenset(owner for owner in owners if owner is not None)

    def free(self, owner: str) -> int:
        """Give back what ``owner`` had claimed: it is known to be gone."""
        return touched(
            self._session, update(_DELIVERIES).where(_DELIVERIES.c.lease_owner == owner).values(_UNLEASED)
        )

    def end_pending(self, endpoint_id: str) -> int:
        """Give up on all that an endpoint was to get: it was disabled."""
        return touched(
            self._session,
            update(_DELIVERIES)
            .where(_DELIVERIES.c.endpoint_id == endpoint_id, _DELIVERIES.c.status == DeliveryStatus.PENDING)
            .values(status=DeliveryStatus.DEAD, error=ENDPOINT_DISABLED, next_attempt_at=None, **_UNLEASED),
        )

    def restart(self, delivery_id: str, now: datetime) -> bool:
        """Send it again, from the start of the schedule; False when it has nothing to send.

        What is being sent at this moment is sent once more when its lease is over.
        """
        return (
            touched(
                self._session,
                update(_DELIVERIES)
                .where(_DELIVERIES.c.id == delivery_id, _DELIVERIES.c.payload.is_not(None))
                .values(
                    status=DeliveryStatus.PENDING,
                    step=0,
                    error=None,
                    next_attempt_at=now,
                    delivered_at=None,
                    lease_owner=None,
                ),
            )
            == 1
        )

    def remove_old(self, before: datetime, limit: int) -> int:
        """Remove finished deliveries from before that time, at most ``limit``; returns how many."""
        old = (
            select(_DELIVERIES.c.id)
            .where(_DELIVERIES.c.created_at < before, _DELIVERIES.c.status != DeliveryStatus.PENDING)
            .limit(limit)
        )
        return touched(self._session, delete(_DELIVERIES).where(_DELIVERIES.c.id.in_(old)))


def _due(now: datetime, without: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    free = or_(_DELIVERIES.c.leased_until.is_(None), _DELIVERIES.c.leased_until <= now)
    due = and_(_DELIVERIES.c.status == DeliveryStatus.PENDING, _DELIVERIES.c.next_attempt_at <= now)
    return due, free, _DELIVERIES.c.destination.not_in(sorted(without))


def _held(claimed: ClaimedDelivery, owner: str) -> tuple[ColumnElement[bool], ...]:
    return (
        _DELIVERIES.c.id == claimed.id,
        _DELIVERIES.c.lease_owner == owner,
        _DELIVERIES.c.leased_until == claimed.leased_until,
    )


def _delivery_of(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        endpoint_id=row.endpoint_id,
        call_id=row.call_id,
        event=WebhookEvent(row.event),
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        response_code=row.response_code,
        error=row.error,
        created_at=row.created_at,
        last_attempt_at=row.last_attempt_at,
        next_attempt_at=row.next_attempt_at,
        delivered_at=row.delivered_at,
    )
