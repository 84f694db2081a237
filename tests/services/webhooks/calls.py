"""Endpoints, ended calls and a clock for tests of deliveries."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from app.db.repositories.calls import CallRepository
from app.db.repositories.claims import ClaimRepository
from app.db.session import Database
from app.schemas.call import Claim
from app.schemas.webhook import Delivery, Endpoint, WebhookEvent
from app.services.delivery_service import DeliveryService
from app.services.ownership import new_owner
from app.services.webhook_service import WebhookService
from app.services.webhooks.addresses import AddressGuard, Allowed, Lookup
from app.services.webhooks.sender import Sender
from tests.db.values import FAILURE, analysis, new_call, taken
from tests.services.webhooks.forms import lookup

CALL_SECRET = SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
ALL = tuple(WebhookEvent)


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


class Webhooks:
    """Both services over one database, as one process has them."""

    def __init__(
        self,
        database: Database,
        clock: FakeClock,
        *,
        allowed: Collection[str] = ("127.0.0.1", "hooks.test"),
        find: Lookup = lookup,
        timeout_s: float = 10,
        secret: SecretStr | None = CALL_SECRET,
        owner: str | None = None,
    ) -> None:
        guard = AddressGuard(Allowed.of(tuple(allowed)), find)
        self.database = database
        self.clock = clock
        self.service = WebhookService(database, guard, secret, clock)
        self.deliveries = DeliveryService(
            database,
            guard,
            Sender(timeout_s),
            owner or new_owner(),
            secret=secret,
            retention_days=30,
            user_agent="Darwix-AI/test",
            clock=clock,
        )

    def register(self, url: str, *events: WebhookEvent) -> Endpoint:
        return self.service.create(url, events or ALL, None)

    def send_due(self) -> int:
        """Send what is due now; returns how many messages that was."""
        sent = 0
        while (claimed := self.deliveries.claim()) is not None:
            self.deliveries.attempt(claimed)
            sent += 1
        return sent

    def of(self, endpoint: Endpoint) -> list[Delivery]:
        return list(self.service.deliveries(endpoint.id, 200, None)[0])

    def only(self, endpoint: Endpoint) -> Delivery:
        (delivery,) = self.of(endpoint)
        return delivery


def begin(database: Database, call_id: str, now: datetime, **changes: Any) -> Claim:
    with database.session() as session:
        assert CallRepository(session).insert(new_call(call_id, **changes), now)
    return taken(database, call_id, now)


def complete(database: Database, call_id: str, now: datetime, **changes: Any) -> None:
    claim = begin(database, call_id, now, **changes)
    with database.session() as session:
        assert ClaimRepository(session).complete(claim, analysis(call_id), now, keep_heard=False)


def fail(database: Database, call_id: str, now: datetime, **changes: Any) -> None:
    claim = begin(database, call_id, now, **changes)
    with database.session() as session:
        assert ClaimRepository(session).fail(claim, FAILURE, now)


def rows(database: Database, columns: str = "*") -> list[dict[str, Any]]:
    with database.snapshot() as session:
        found = session.execute(text(f"SELECT {columns} FROM webhook_deliveries ORDER BY created_at, id"))
        return [dict(row._mapping) for row in found]
