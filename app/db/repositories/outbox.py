"""What is to be told of a call, written in the transaction that ends it, so that no crash loses it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.db.models import CallRow, table_of
from app.db.webhook_models import WebhookDeliveryRow, WebhookEndpointRow
from app.schemas.analysis import CallStatus
from app.schemas.webhook import DeliveryStatus, WebhookEvent

_CALLS = table_of(CallRow)
_ENDPOINTS = table_of(WebhookEndpointRow)
_DELIVERIES = table_of(WebhookDeliveryRow)


def announce(session: Session, call_id: str, change: Mapping[str, Any]) -> None:
    """Record a delivery to everybody who wants to know; nothing unless ``change`` ended the call.

    ``change`` holds the columns of the call that were just set, ``status`` and ``updated_at`` among them.
    """
    status = change.get("status")
    if status is None or not CallStatus(status).is_final:
        return
    event, now = WebhookEvent.of(CallStatus(status)), change["updated_at"]
    call = session.execute(
        select(_CALLS.c.agent_id, _CALLS.c.failure_code, _CALLS.c.webhook_url).where(
            _CALLS.c.call_id == call_id
        )
    ).one()
    # Whoever deletes an endpoint waits: its deliveries must not outlive it, nor cost the call its result.
    endpoints = session.execute(
        select(_ENDPOINTS.c.id, _ENDPOINTS.c.events)
        .where(_ENDPOINTS.c.enabled)
        .with_for_update(read=True, key_share=True)
    )
    payload = _payload(event, now, call_id, call.failure_code, call.agent_id)
    rows = [
        _row(call_id, event, payload, now, endpoint_id=endpoint.id, destination=endpoint.id)
        for endpoint in endpoints
        if event in endpoint.events
    ]
    if call.webhook_url is not None:
        host = urlsplit(call.webhook_url).netloc
        rows.append(_row(call_id, event, payload, now, url=call.webhook_url, destination=host))
    if rows:
        session.execute(insert(_DELIVERIES), rows)


def withdraw(session: Session, call_id: str) -> None:
    """Remove what deliveries hold of a call that is being deleted; what was not sent yet never is."""
    of_call = _DELIVERIES.c.call_id == call_id
    session.execute(delete(_DELIVERIES).where(of_call, _DELIVERIES.c.endpoint_id.is_(None)))
    session.execute(
        update(_DELIVERIES)
        .where(of_call, _DELIVERIES.c.status != DeliveryStatus.DELIVERED)
        .values(status=DeliveryStatus.WITHDRAWN, next_attempt_at=None, lease_owner=None, leased_until=None)
    )
    session.execute(update(_DELIVERIES).where(of_call).values(call_id=None, payload=None))


def _payload(event: WebhookEvent, now: datetime, call_id: str, code: str | None, agent_id: str | None) -> str:
    """Ids and states, never a word of the call. Under 1 KB, as ids have at most 128 characters."""
    data = {
        "call_id": call_id,
        "status": event.removeprefix("call."),
        "code": code,
        "agent_id": agent_id,
    }
    timestamp = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"type": event.value, "timestamp": timestamp, "data": data}, separators=(",", ":"))


def _row(
    call_id: str,
    event: WebhookEvent,
    payload: str,
    now: datetime,
    *,
    destination: str,
    endpoint_id: str | None = None,
    url: str | None = None,
) -> dict[str, Any]:
    return {
        "id": f"msg_{secrets.token_hex(16)}",
        "endpoint_id": endpoint_id,
        "url": url,
        "destination": destination,
        "call_id": call_id,
        "event": event,
        "payload": payload,
        "status": DeliveryStatus.PENDING,
        "attempts": 0,
        "step": 0,
        "created_at": now,
        "next_attempt_at": now,
    }
