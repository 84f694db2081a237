"""Webhooks and deliveries that cannot be made, changed or sent again."""

from __future__ import annotations

from app.core.exceptions.base import InputError


class WebhookNotFound(InputError):
    code = "webhook_not_found"
    status = 404
    title = "There is no such webhook"


class DeliveryNotFound(InputError):
    code = "delivery_not_found"
    status = 404
    title = "There is no such delivery"


class WebhookDisabled(InputError):
    code = "webhook_disabled"
    status = 409
    title = "The webhook is disabled"


class DeliveryWithdrawn(InputError):
    code = "delivery_withdrawn"
    status = 409
    title = "The call of the delivery was deleted"


class TooManyWebhooks(InputError):
    code = "too_many_webhooks"
    status = 409
    title = "There are as many webhooks as there may be"


class WebhookUrlRefused(InputError):
    """An address that the service must not send to: not https, or not on the public internet."""

    code = "webhook_url_refused"
    title = "The service does not send to this address"


class WebhookSecretMissing(InputError):
    code = "webhook_secret_missing"
    title = "The service has no secret to sign with"
