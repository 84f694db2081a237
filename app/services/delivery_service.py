"""Sends what calls left to be told: claims a delivery, sends it once, writes down what came of it."""

from __future__ import annotations

import logging
import random
from collections.abc import Collection
from datetime import timedelta
from http import HTTPStatus

from pydantic import SecretStr

from app.core.clock import Clock, utc_now
from app.core.exceptions import ConfigurationError, WebhookUrlRefused
from app.db.repositories.deliveries import DeliveryRepository
from app.db.repositories.webhooks import WebhookRepository
from app.db.session import Database
from app.schemas.webhook import Attempt, ClaimedDelivery, DeliveryStatus
from app.services.ownership import is_gone
from app.services.webhooks.addresses import AddressGuard
from app.services.webhooks.schedule import pause_after, wish_of
from app.services.webhooks.sender import NotSent, Sender
from app.services.webhooks.signing import key_of, signed_headers

log = logging.getLogger(__name__)

TIMEOUT_S = 15.0
LEASE_S = 60.0
"""Longest time from a claim to its outcome: looking up a name, which has no limit of its own, and sending."""
SPARE_S = 5.0
REMOVED_AT_A_TIME = 1000


class DeliveryService:
    """One attempt at a time, for any number of threads and processes. Thread-safe."""

    def __init__(
        self,
        database: Database,
        guard: AddressGuard,
        sender: Sender,
        owner: str,
        *,
        secret: SecretStr | None,
        retention_days: int,
        user_agent: str,
        clock: Clock = utc_now,
    ) -> None:
        """``secret`` signs what goes to the address that a call named itself.

        Raises ConfigurationError where it is none.
        """
        self._database = database
        self._guard = guard
        self._sender = sender
        self._owner = owner
        self._call_secrets = (_checked(secret),) if secret is not None else None
        self._retention = timedelta(days=retention_days)
        self._user_agent = user_agent
        self._clock = clock

    def claim(self, saturated: Collection[str] = ()) -> ClaimedDelivery | None:
        """The next delivery that is due and that nobody else sends; none to the ``saturated`` destinations.

        Looks without the writers' lock first, since most of the time there is none.
        """
        now = self._clock()
        with self._database.snapshot() as session:
            if not DeliveryRepository(session).has_due(now, saturated):
                return None
        with self._database.session() as session:
            until = now + timedelta(seconds=LEASE_S)
            return DeliveryRepository(session).claim(self._owner, now, until, saturated)

    def attempt(self, claimed: ClaimedDelivery) -> None:
        """Send a claimed delivery and store the outcome.

        Raises DatabaseUnavailable where it cannot be stored: then it is sent again, with the same id, when
        the lease is over.
        """
        try:
            outcome = self._send(claimed)
        except Exception:
            # Counted as any other failure: a message that we cannot send must not be tried for ever.
            log.exception("webhook.crashed", extra=_fields(claimed))
            outcome = self._failed(claimed, "internal_error")
        if outcome is None:
            log.warning("webhook.lookup_too_slow", extra=_fields(claimed))
            self.let_go(claimed)
            return
        gone = outcome.response_code == HTTPStatus.GONE and claimed.endpoint_id is not None
        with self._database.session() as session:
            deliveries = DeliveryRepository(session)
            stored = deliveries.settle(claimed, self._owner, outcome)
            if gone and stored:
                WebhookRepository(session).disable(claimed.endpoint_id or "", "gone", outcome.at)
                deliveries.end_pending(claimed.endpoint_id or "")
        extra = {**_fields(claimed), "response_code": outcome.response_code, "stored": stored}
        if outcome.status is DeliveryStatus.DELIVERED:
            log.info("webhook.delivered", extra=extra)
        else:
            log.warning(
                f"webhook.{'dead' if outcome.next_attempt_at is None else 'attempt_failed'}", extra=extra
            )

    def let_go(self, claimed: ClaimedDelivery) -> None:
        """Give back a claimed delivery without sending it."""
        with self._database.session() as session:
            DeliveryRepository(session).let_go(claimed, self._owner)

    def keep_house(self) -> None:
        """Free what dead processes had claimed, remove old records and secrets that are no longer valid."""
        now = self._clock()
        with self._database.session() as session:
            deliveries = DeliveryRepository(session)
            for owner in deliveries.lease_owners():
                if owner != self._owner and is_gone(owner):
                    deliveries.free(owner)
            deliveries.remove_old(now - self._retention, REMOVED_AT_A_TIME)
            WebhookRepository(session).forget_old_secrets(now)

    def _send(self, claimed: ClaimedDelivery) -> Attempt | None:
        """How the attempt ended; None when there was no time left to begin it."""
        try:
            target, addresses = self._guard.admit(claimed.url)
        except WebhookUrlRefused:
            return self._failed(claimed, "address_refused")
        now = self._clock()
        if now + timedelta(seconds=self._sender.timeout_s + SPARE_S) > claimed.leased_until:
            return None
        valid = self._call_secrets if claimed.secrets is None else claimed.secrets.valid(now)
        if valid is None:
            return self._failed(claimed, "no_secret")
        body = claimed.payload.encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._user_agent,
            **signed_headers(valid, claimed.id, now, body),
        }
        try:
            reply = self._sender.post(target, addresses, headers, body)
        except NotSent as error:
            return self._failed(claimed, error.code)
        if 200 <= reply.status < 300:
            return Attempt(self._clock(), DeliveryStatus.DELIVERED, reply.status)
        return self._refused(claimed, reply.status, reply.retry_after)

    def _refused(self, claimed: ClaimedDelivery, status: int, retry_after: str | None) -> Attempt:
        if status == HTTPStatus.GONE:
            return Attempt(self._clock(), DeliveryStatus.DEAD, status, "gone")
        error = "redirect" if 300 <= status < 400 else "status"
        return self._failed(claimed, error, status, wish_of(retry_after, self._clock()))

    def _failed(
        self, claimed: ClaimedDelivery, error: str, status: int | None = None, asked_s: float | None = None
    ) -> Attempt:
        now = self._clock()
        pause_s = pause_after(claimed.step, random.random(), asked_s)  # noqa: S311 - no secret
        if pause_s is None:
            return Attempt(now, DeliveryStatus.DEAD, status, error)
        return Attempt(now, DeliveryStatus.PENDING, status, error, now + timedelta(seconds=pause_s))


def _checked(secret: SecretStr) -> str:
    try:
        key_of(secret.get_secret_value())
    except ValueError as error:
        raise ConfigurationError(f"WEBHOOK_SECRET: {error}") from None
    return secret.get_secret_value()


def _fields(claimed: ClaimedDelivery) -> dict[str, object]:
    return {"delivery_id": claimed.id, "webhook_id": claimed.endpoint_id, "attempt": claimed.step + 1}
