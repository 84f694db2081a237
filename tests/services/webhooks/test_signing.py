"""What the service signs is taken by another implementation of Standard Webhooks, and nothing else is."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.services.webhooks.signing import key_of, new_secret, signed_headers

BODY = '{"type":"call.completed","data":{"call_id":"größe"}}'.encode()


def _headers(*secrets: str) -> dict[str, str]:
    return signed_headers(secrets, "msg_1", datetime.now(UTC), BODY)


def test_an_independent_verifier_takes_what_is_signed() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, _headers(secret))["type"] == "call.completed"


def test_the_example_of_the_specification_has_its_signature() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(int((datetime.now(UTC) - timedelta(seconds=60)).timestamp()))},
        {"webhook-signature": "v1," + base64.b64encode(bytes(32)).decode()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_header_fails(change: dict[str, str]) -> None:
    secret = new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, {**_headers(secret), **change})


@pytest.mark.parametrize("place", [0, len(BODY) // 2, len(BODY) - 1])
def test_a_changed_body_fails(place: int) -> None:
    secret = new_secret()
    body = bytearray(b"x" * len(BODY))
    headers = signed_headers([secret], "msg_1", datetime.now(UTC), bytes(body))
    body[place] ^= 1
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(bytes(body), headers, json_parse=False)


def test_another_secret_fails() -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, _headers(new_secret()))


def test_while_secrets_are_rotated_both_verify() -> None:
    new, old = new_secret(), new_secret()
    headers = _headers(new, old)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (new, old):
        Webhook(secret).verify(BODY, headers)


def test_new_secrets_differ_and_hold_32_bytes() -> None:
    secrets = {new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(key_of(secret)) for secret in secrets} == {32}


def _of(length: int) -> str:
    return "whsec_" + base64.b64encode(bytes(length)).decode()


def test_secrets_have_24_to_64_bytes() -> None:
    assert len(key_of(_of(24))) == 24
    assert len(key_of(_of(64))) == 64


@pytest.mark.parametrize(
    "secret", [_of(23), _of(65), _of(32).removeprefix("whsec_"), "whsec_", "whsec_%%%%", ""], ids=repr
)
def test_a_bad_secret_is_refused_without_being_told(secret: str) -> None:
    with pytest.raises(ValueError, match="must be whsec_") as caught:
        key_of(secret)
    assert not secret or len(secret) < 10 or secret not in str(caught.value)
