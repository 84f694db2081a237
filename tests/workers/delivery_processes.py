"""A process that sends webhooks, for tests that kill it; kept light, since it is started often."""

from __future__ import annotations

import threading

from app.core.config import Settings
from app.db.session import Database
from app.services.delivery_service import DeliveryService
from app.services.ownership import new_owner
from app.services.webhooks.addresses import AddressGuard, Allowed
from app.services.webhooks.sender import Sender
from app.workers.deliveries import DeliveryLoop


def deliver_until_killed(url: str) -> None:
    database = Database(Settings(_env_file=None, database_url=url))
    guard = AddressGuard(Allowed.of(["127.0.0.1"]))
    service = DeliveryService(
        database,
        guard,
        Sender(15),
        new_owner(),
        secret=None,
        retention_days=30,
        user_agent="Darwix-AI/test",
    )
    DeliveryLoop(service).start()
    threading.Event().wait()
