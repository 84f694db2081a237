"""Webhooks: who is told when a call ends, and what became of each message."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from app.api.calls import CallIdPath
from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.schemas.requests import ID_PATTERN
from app.schemas.webhook import Delivery
from app.schemas.webhook_models import (
    DeliveryModel,
    DeliveryPage,
    DeliveryQuery,
    Message,
    NewWebhook,
    WebhookList,
    WebhookModel,
    WebhookPatch,
    WebhookWithSecret,
)

router = APIRouter(tags=["webhooks"])
sent = APIRouter()
"""What the service sends, for OpenAPI's section of webhooks."""

WebhookIdPath = Annotated[str, Path(pattern=ID_PATTERN, examples=["wh_5f6d8f4889874a78bf40e730"])]
DeliveryIdPath = Annotated[str, Path(pattern=ID_PATTERN, examples=["msg_0f0c1b7a3c5d4e2f8a9b7c6d5e4f3a2b"])]
PageQuery = Annotated[DeliveryQuery, Query()]


def _unshared(response: Response) -> None:
    """A secret is in the answer."""
    response.headers["Cache-Control"] = "no-store"


@router.post(
    "/webhooks",
    summary="Register an address that is told when calls end",
    status_code=201,
    responses=problem_responses(401, 403, 409, 422, 500, 503),
)
def create_webhook(new: NewWebhook, response: Response, services: ServicesDep) -> WebhookWithSecret:
    """The answer holds the secret that verifies what is sent; it is not shown again."""
    endpoint = services.webhooks.create(new.url, new.events, new.description)
    response.headers["Location"] = f"/webhooks/{endpoint.id}"
    _unshared(response)
    return WebhookWithSecret.of(endpoint)


@router.get(
    "/webhooks", summary="List webhooks, oldest first", responses=problem_responses(401, 403, 500, 503)
)
def list_webhooks(services: ServicesDep) -> WebhookList:
    """All of them, without their secrets."""
    return WebhookList(items=[WebhookModel.of(endpoint) for endpoint in services.webhooks.all()])


@router.get(
    "/webhooks/{webhook_id}",
    summary="Read a webhook",
    responses=problem_responses(401, 403, 404, 422, 500, 503),
)
def read_webhook(webhook_id: WebhookIdPath, services: ServicesDep) -> WebhookModel:
    """Without its secret."""
    return WebhookModel.of(services.webhooks.get(webhook_id))


@router.patch(
    "/webhooks/{webhook_id}",
    summary="Change the address or the events, disable or enable",
    responses=problem_responses(401, 403, 404, 422, 500, 503),
)
def change_webhook(webhook_id: WebhookIdPath, patch: WebhookPatch, services: ServicesDep) -> WebhookModel:
    """A new address also holds for what was not delivered yet.

    A disabled webhook is told nothing: what waited for it is given up (`dead`, `endpoint_disabled`) and can
    be sent again by `redeliver` once it is enabled.
    """
    return WebhookModel.of(services.webhooks.change(webhook_id, patch.change))


@router.delete(
    "/webhooks/{webhook_id}",
    summary="Delete a webhook and the record of what it was sent",
    status_code=204,
    response_class=Response,
    responses=problem_responses(401, 403, 404, 422, 500, 503),
)
def delete_webhook(webhook_id: WebhookIdPath, services: ServicesDep) -> Response:
    services.webhooks.delete(webhook_id)
    return Response(status_code=204)


@router.post(
    "/webhooks/{webhook_id}/rotate",
    summary="Give a webhook a new secret",
    responses=problem_responses(401, 403, 404, 422, 500, 503),
)
def rotate_secret(webhook_id: WebhookIdPath, response: Response, services: ServicesDep) -> WebhookWithSecret:
    """The answer holds the new secret, once. For 24 hours messages are signed with the old one too."""
    endpoint = services.webhooks.rotate(webhook_id)
    _unshared(response)
    return WebhookWithSecret.of(endpoint)


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    summary="List what a webhook was sent, newest first",
    responses=problem_responses(401, 403, 404, 422, 500, 503),
)
def list_deliveries(webhook_id: WebhookIdPath, services: ServicesDep, query: PageQuery) -> DeliveryPage:
    """Each message with its attempts, its last answer and when it is tried next."""
    return _page(*services.webhooks.deliveries(webhook_id, query.limit, query.cursor))


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
    summary="Send a message again",
    status_code=202,
    responses=problem_responses(401, 403, 404, 409, 422, 500, 503),
)
def redeliver(webhook_id: WebhookIdPath, delivery_id: DeliveryIdPath, services: ServicesDep) -> DeliveryModel:
    """With the same id, from the start of the schedule, whether or not it was delivered before."""
    return DeliveryModel.of(services.webhooks.redeliver(delivery_id, endpoint_id=webhook_id))


@router.get(
    "/calls/{call_id}/deliveries",
    summary="List who was told of a call, newest first",
    responses=problem_responses(401, 403, 404, 422, 500, 503),
)
def list_call_deliveries(call_id: CallIdPath, services: ServicesDep, query: PageQuery) -> DeliveryPage:
    """The messages to all webhooks and to the call's own `webhook_url`."""
    services.calls.record(call_id)
    return _page(*services.webhooks.deliveries_of_call(call_id, query.limit, query.cursor))


@router.post(
    "/calls/{call_id}/deliveries/{delivery_id}/redeliver",
    summary="Send a message about a call again",
    status_code=202,
    responses=problem_responses(401, 403, 404, 409, 422, 500, 503),
)
def redeliver_of_call(
    call_id: CallIdPath, delivery_id: DeliveryIdPath, services: ServicesDep
) -> DeliveryModel:
    """As for a webhook; also for the call's own `webhook_url`."""
    return DeliveryModel.of(services.webhooks.redeliver(delivery_id, call_id=call_id))


def _page(deliveries: tuple[Delivery, ...], cursor: str | None) -> DeliveryPage:
    return DeliveryPage(items=[DeliveryModel.of(delivery) for delivery in deliveries], next_cursor=cursor)


@sent.post("call-ended", summary="A call ended", responses={410: {"description": "Disables the webhook."}})
def call_ended(message: Message) -> Any:
    """Any 2xx takes the message. After anything else, a redirect too, it is sent again, with the same id.

    Ten times in three days, then it is `dead`.
    """
