"""The HTTP vocabulary of webhooks: what clients send and get, as OpenAPI shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from app.schemas.webhook import Delivery, DeliveryStatus, Endpoint, EndpointChange, WebhookEvent

LONGEST_URL = 2048
_ALL_EVENTS = tuple(WebhookEvent)
_URL = "https://crm.example.com/hooks/darwix"


class NewWebhook(BaseModel):
    """An address to be told of calls, and of which ends of them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"url": _URL, "events": ["call.completed", "call.failed"], "description": "CRM"}
        },
    )

    url: str = Field(max_length=LONGEST_URL, description="https, on the public internet; see the README.")
    events: tuple[WebhookEvent, ...] = Field(_ALL_EVENTS, min_length=1, max_length=len(_ALL_EVENTS))
    description: str | None = Field(None, max_length=256)

    @field_validator("events")
    @classmethod
    def _once(cls, value: tuple[WebhookEvent, ...]) -> tuple[WebhookEvent, ...]:
        return tuple(dict.fromkeys(value))


class WebhookPatch(BaseModel):
    """What is to be another; a field that is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"enabled": False}})

    url: str | None = Field(None, max_length=LONGEST_URL)
    events: tuple[WebhookEvent, ...] | None = Field(None, min_length=1, max_length=len(_ALL_EVENTS))
    enabled: bool | None = Field(None, description="`false` also gives up on what waits to be sent.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.change == EndpointChange():
            raise ValueError("names no change: give url, events or enabled")
        return self

    @property
    def change(self) -> EndpointChange:
        events = None if self.events is None else tuple(dict.fromkeys(self.events))
        return EndpointChange(self.url, events, self.enabled)


class WebhookModel(BaseModel):
    """An address that is told of calls."""

    id: str = Field(examples=["wh_5f6d8f4889874a78bf40e730"])
    url: str = Field(examples=[_URL])
    events: list[WebhookEvent]
    description: str | None
    enabled: bool
    disabled_reason: str | None = Field(
        description="`gone`: it answered 410 and was disabled by the service.", examples=[None]
    )
    previous_secret_until: datetime | None = Field(
        description="Until then every message is signed with the secret before the last rotation too."
    )
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        return cls.model_validate(_fields(endpoint))


class WebhookWithSecret(WebhookModel):
    """The one answer that shows the secret."""

    secret: str = Field(
        description="Verifies what is sent (Standard Webhooks). Not shown again.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="],
    )

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        return cls.model_validate({**_fields(endpoint), "secret": endpoint.secrets.current})


def _fields(endpoint: Endpoint) -> dict[str, object]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "description": endpoint.description,
        "enabled": endpoint.enabled,
        "disabled_reason": endpoint.disabled_reason,
        "previous_secret_until": endpoint.secrets.previous_until,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    }


class WebhookList(BaseModel):
    """All of them, oldest first."""

    items: list[WebhookModel]


class DeliveryModel(BaseModel):
    """One message to one address; its id is the `webhook-id` of every attempt."""

    id: str = Field(examples=["msg_0f0c1b7a3c5d4e2f8a9b7c6d5e4f3a2b"])
    webhook_id: str | None = Field(description="null where the call named the address (`webhook_url`).")
    call_id: str | None = Field(description="null once the call was deleted.")
    event: WebhookEvent
    status: DeliveryStatus = Field(
        description="`dead`: given up, can be sent again. `withdrawn`: the call was deleted before."
    )
    attempts: int
    response_code: int | None = Field(description="HTTP status of the last answer; null where none came.")
    error: str | None = Field(
        description=(
            "Why the last attempt failed: `status`, `redirect`, `gone`, `timeout`, `unreachable`, "
            "`tls_failed`, `bad_answer`, `address_refused`, `no_secret`, "
            "`endpoint_disabled`, `internal_error`."
        )
    )
    created_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    delivered_at: datetime | None

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryModel:
        return cls(
            id=delivery.id,
            webhook_id=delivery.endpoint_id,
            call_id=delivery.call_id,
            event=delivery.event,
            status=delivery.status,
            attempts=delivery.attempts,
            response_code=delivery.response_code,
            error=delivery.error,
            created_at=delivery.created_at,
            last_attempt_at=delivery.last_attempt_at,
            next_attempt_at=delivery.next_attempt_at,
            delivered_at=delivery.delivered_at,
        )


class DeliveryPage(BaseModel):
    """A page of deliveries, newest first; ``next_cursor`` is null on the last."""

    items: list[DeliveryModel]
    next_cursor: str | None


class DeliveryQuery(BaseModel):
    """A page of deliveries."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=512, description="`next_cursor` of the page before.")


class MessageData(BaseModel):
    """Ids and states, never a word of the call."""

    call_id: str
    status: Literal["completed", "completed_with_warnings", "failed", "cancelled"]
    code: str | None = Field(description="Why a call failed: the stable code of its error.")
    agent_id: str | None


class Message(BaseModel):
    """What is sent: signed by the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "call.completed",
                "timestamp": "2026-02-21T10:00:06.123Z",
                "data": {
                    "call_id": "CALL-001",
                    "status": "completed",
                    "code": None,
                    "agent_id": "agent-7",
                },
            }
        }
    )

    type: WebhookEvent
    timestamp: datetime
    data: MessageData
