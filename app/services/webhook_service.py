"""Use cases around webhooks: who is told of calls, with which secret, and what was sent."""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from datetime import timedelta

from pydantic import SecretStr

from app.core.clock import Clock, utc_now
from app.core.exceptions import (
    DeliveryNotFound,
    DeliveryWithdrawn,
    TooManyWebhooks,
    WebhookDisabled,
    WebhookNotFound,
    WebhookSecretMissing,
    WebhookUrlRefused,
)
from app.db.repositories.deliveries import DeliveryRepository
from app.db.repositories.webhooks import WebhookRepository
from app.db.session import Database
from app.schemas.webhook import Delivery, Endpoint, EndpointChange, Secrets, WebhookEvent
from app.services.webhooks.addresses import AddressGuard
from app.services.webhooks.signing import new_secret

log = logging.getLogger(__name__)

MOST_ENDPOINTS = 100
"""Each end of a call makes as many deliveries."""
OLD_SECRET_HOURS = 24


class WebhookService:
    """The only place that writes endpoints. Each method is one transaction. Thread-safe.

    An ``Endpoint`` carries its secrets; only ``create`` and ``rotate`` give it to be shown.
    """

    def __init__(
        self, database: Database, guard: AddressGuard, secret: SecretStr | None, clock: Clock = utc_now
    ) -> None:
        """``secret`` signs what goes to the address that a call named itself."""
        self._database = database
        self._guard = guard
        self._secret = secret
        self._clock = clock

    def check_call_url(self, url: str | None) -> None:
        """Raises WebhookSecretMissing or WebhookUrlRefused where a call may not name this address."""
        if url is None:
            return
        if self._secret is None:
            raise WebhookSecretMissing("webhook_url needs the setting WEBHOOK_SECRET, to sign with")
        try:
            self._guard.admit(url)
        except WebhookUrlRefused as error:
            named = [{**item, "field": "webhook_url"} for item in error.errors]
            raise WebhookUrlRefused(error.detail, errors=named) from None

    def create(self, url: str, events: tuple[WebhookEvent, ...], description: str | None) -> Endpoint:
        """Raises WebhookUrlRefused and TooManyWebhooks."""
        self._guard.admit(url)
        now = self._clock()
        endpoint = Endpoint(
            id=f"wh_{secrets.token_hex(12)}",
            url=url,
            events=events,
            description=description,
            enabled=True,
            disabled_reason=None,
            secrets=Secrets(new_secret()),
            created_at=now,
            updated_at=now,
        )
        with self._database.session() as session:
            webhooks = WebhookRepository(session)
            if webhooks.count() >= MOST_ENDPOINTS:
                raise TooManyWebhooks(f"there are {MOST_ENDPOINTS} webhooks already; delete one first")
            webhooks.add(endpoint)
        log.info("webhook.created", extra={"webhook_id": endpoint.id})
        return endpoint

    def all(self) -> tuple[Endpoint, ...]:
        """Oldest first."""
        with self._database.snapshot() as session:
            return WebhookRepository(session).all()

    def get(self, endpoint_id: str) -> Endpoint:
        """Raises WebhookNotFound."""
        with self._database.snapshot() as session:
            return _found(WebhookRepository(session).get(endpoint_id), endpoint_id)

    def change(self, endpoint_id: str, change: EndpointChange) -> Endpoint:
        """What waits for an endpoint that is disabled here is given up.

        Raises WebhookUrlRefused and WebhookNotFound.
        """
        if change.url is not None:
            self._guard.admit(change.url)
        with self._database.session() as session:
            webhooks = WebhookRepository(session)
            webhooks.change(endpoint_id, change, self._clock())
            endpoint = _found(webhooks.get(endpoint_id), endpoint_id)
            if not endpoint.enabled:
                DeliveryRepository(session).end_pending(endpoint_id)
        return endpoint

    def rotate(self, endpoint_id: str) -> Endpoint:
        """Give it a new secret; the old one signs beside it for a day. Raises WebhookNotFound."""
        now = self._clock()
        secret = new_secret()
        with self._database.session() as session:
            webhooks = WebhookRepository(session)
            webhooks.rotate(endpoint_id, secret, now + timedelta(hours=OLD_SECRET_HOURS), now)
            endpoint = _found(webhooks.get(endpoint_id), endpoint_id)
        log.info("webhook.rotated", extra={"webhook_id": endpoint_id})
        # Another rotation may have come in between: what is shown is the secret that was made here.
        return replace(endpoint, secrets=replace(endpoint.secrets, current=secret))

    def delete(self, endpoint_id: str) -> None:
        """Remove it with the record of what it was sent. Raises WebhookNotFound."""
        with self._database.session() as session:
            if not WebhookRepository(session).delete(endpoint_id):
                raise _no_webhook(endpoint_id)
        log.info("webhook.deleted", extra={"webhook_id": endpoint_id})

    def deliveries(
        self, endpoint_id: str, limit: int, cursor: str | None
    ) -> tuple[tuple[Delivery, ...], str | None]:
        """Newest first. Raises WebhookNotFound, or ValidationFailed for a foreign cursor."""
        with self._database.snapshot() as session:
            _found(WebhookRepository(session).get(endpoint_id), endpoint_id)
            return DeliveryRepository(session).page(limit, cursor, endpoint_id=endpoint_id)

    def deliveries_of_call(
        self, call_id: str, limit: int, cursor: str | None
    ) -> tuple[tuple[Delivery, ...], str | None]:
        """To all endpoints and to the call's own address. Raises ValidationFailed for a foreign cursor."""
        with self._database.snapshot() as session:
            return DeliveryRepository(session).page(limit, cursor, call_id=call_id)

    def redeliver(
        self, delivery_id: str, *, endpoint_id: str | None = None, call_id: str | None = None
    ) -> Delivery:
        """Send it again, with the same id, from the start of the schedule.

        Raises DeliveryNotFound where it is not one of that endpoint or call, WebhookDisabled, and
        DeliveryWithdrawn where its call was deleted.
        """
        with self._database.session() as session:
            deliveries = DeliveryRepository(session)
            found = deliveries.get(delivery_id)
            if found is None or (found.endpoint_id if call_id is None else found.call_id) != (
                endpoint_id if call_id is None else call_id
            ):
                raise DeliveryNotFound(f"there is no delivery {delivery_id} here")
            if found.endpoint_id is not None:
                endpoint = WebhookRepository(session).get(found.endpoint_id)
                if not _found(endpoint, found.endpoint_id).enabled:
                    raise WebhookDisabled(f"webhook {found.endpoint_id} is disabled; enable it first")
            if not deliveries.restart(delivery_id, self._clock()):
                raise DeliveryWithdrawn("its call was deleted: there is nothing left to send")
            again = deliveries.get(delivery_id)
        assert again is not None
        return again


def _found(endpoint: Endpoint | None, endpoint_id: str) -> Endpoint:
    if endpoint is None:
        raise _no_webhook(endpoint_id)
    return endpoint


def _no_webhook(endpoint_id: str) -> WebhookNotFound:
    return WebhookNotFound(f"there is no webhook {endpoint_id}")
