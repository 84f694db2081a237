"""Addresses that are told of calls."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.db.models import table_of
from app.db.repositories.statements import touched
from app.db.webhook_models import WebhookEndpointRow
from app.schemas.webhook import Endpoint, EndpointChange, Secrets, WebhookEvent

_ENDPOINTS = table_of(WebhookEndpointRow)


class WebhookRepository:
    """All SQL about endpoints, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, endpoint: Endpoint) -> None:
        values = {
            "id": endpoint.id,
            "url": endpoint.url,
            "events": list(endpoint.events),
            "description": endpoint.description,
            "enabled": endpoint.enabled,
            "disabled_reason": endpoint.disabled_reason,
            "secret": endpoint.secrets.current,
            "created_at": endpoint.created_at,
            "updated_at": endpoint.updated_at,
        }
        self._session.execute(insert(_ENDPOINTS), values)

    def count(self) -> int:
        return self._session.scalar(select(func.count()).select_from(_ENDPOINTS)) or 0

    def all(self) -> tuple[Endpoint, ...]:
        """Oldest first."""
        query = select(_ENDPOINTS).order_by(_ENDPOINTS.c.created_at, _ENDPOINTS.c.id)
        return tuple(endpoint_of(row) for row in self._session.execute(query))

    def get(self, endpoint_id: str) -> Endpoint | None:
        query = select(_ENDPOINTS).where(_ENDPOINTS.c.id == endpoint_id)
        row = self._session.execute(query).one_or_none()
        return None if row is None else endpoint_of(row)

    def change(self, endpoint_id: str, change: EndpointChange, now: datetime) -> bool:
        """False where there is no such endpoint."""
        values: dict[str, Any] = {"updated_at": now}
        if change.url is not None:
            values["url"] = change.url
        if change.events is not None:
            values["events"] = list(change.events)
        if change.enabled is not None:
            values |= {"enabled": change.enabled, "disabled_reason": None}
        return self._update(endpoint_id, values)

    def disable(self, endpoint_id: str, reason: str, now: datetime) -> None:
        self._update(endpoint_id, {"enabled": False, "disabled_reason": reason, "updated_at": now})

    def rotate(self, endpoint_id: str, secret: str, previous_until: datetime, now: datetime) -> bool:
        """The present secret becomes the previous one; whichever was that is gone."""
        values = {
            "previous_secret": _ENDPOINTS.c.secret,
            "previous_until": previous_until,
            "secret": secret,
            "updated_at": now,
        }
        return self._update(endpoint_id, values)

    def forget_old_secrets(self, now: datetime) -> None:
        """Remove the previous secrets whose time is over."""
        self._session.execute(
            update(_ENDPOINTS)
            .where(_ENDPOINTS.c.previous_until <= now)
            .values(previous_secret=None, previous_until=None)
        )

    def delete(self, endpoint_id: str) -> bool:
        """Remove the endpoint and its deliveries."""
        statement = delete(_ENDPOINTS).where(_ENDPOINTS.c.id == endpoint_id)
        return touched(self._session, statement) == 1

    def _update(self, endpoint_id: str, values: dict[str, Any]) -> bool:
        statement = update(_ENDPOINTS).where(_ENDPOINTS.c.id == endpoint_id).values(values)
        return touched(self._session, statement) == 1


def endpoint_of(row: Row[Any]) -> Endpoint:
    return Endpoint(
        id=row.id,
        url=row.url,
        events=tuple(WebhookEvent(event) for event in row.events),
        description=row.description,
        enabled=row.enabled,
        disabled_reason=row.disabled_reason,
        secrets=Secrets(row.secret, row.previous_secret, row.previous_until),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
