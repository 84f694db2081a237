"""Who is signed in to the pages: a cookie signed with what is made from an API key, and its form token.

Nothing is stored: replicas agree, a restart signs nobody out, and a key that is taken away ends its sessions.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import SecretStr

COOKIE = "darwix_session"
LASTS_S = 12 * 3600
"""A working day."""
LONGEST_VALUE = 256


@dataclass(frozen=True)
class Session:
    """``form_token`` must come with whatever a page changes; only pages of this session know it."""

    form_token: str


class Sessions:
    """Opens and finds sessions. The keys themselves are never in a cookie. Thread-safe."""

    def __init__(self, keys: Sequence[SecretStr], clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._clock = clock

    def make_ready(self) -> None:
        """Make the secrets now, some 50 ms a key, rather than with the first session."""
        self._secrets  # noqa: B018

    def open(self, place: int) -> str:
        """The cookie's value for whoever presented the key at ``place``."""
        body = f"{int(self._clock()) + LASTS_S}.{secrets.token_urlsafe(16)}"
        return f"{body}.{_signed(self._secrets[place], 'session', body)}"

    def signer_of(self, value: str) -> int | None:
        """The place of the key that a cookie was given for, over or not; None when it is forged or its key
        is gone."""
        if len(value) > LONGEST_VALUE or value.count(".") != 2:
            return None
        body, _, signature = value.rpartition(".")
        fits = (place for place, known in enumerate(self._secrets) if _matches(known, body, signature))
        return next(fits, None)

    def find(self, value: str) -> Session | None:
        """The session that a cookie stands for; None when it is forged, over, or its key is gone."""
        place = self.signer_of(value)
        body = value.rpartition(".")[0]
        if place is None or int(body.partition(".")[0]) <= self._clock():
            return None
        return Session(_signed(self._secrets[place], "form", body))

    @cached_property
    def _secrets(self) -> tuple[bytes, ...]:
        """One a key; each takes some 50 ms to make."""
        return tuple(_secret_of(key.get_secret_value()) for key in self._keys)


def _secret_of(key: str) -> bytes:
    """By scrypt, so that a cookie that leaks does not tell a short key to somebody who tries them all."""
    return hashlib.scrypt(_bytes(key), salt=b"darwix session", n=2**14, r=8, p=1, dklen=32)


def _matches(secret: bytes, body: str, signature: str) -> bool:
    return hmac.compare_digest(_bytes(_signed(secret, "session", body)), _bytes(signature))


def _signed(secret: bytes, purpose: str, body: str) -> str:
    digest = hmac.digest(secret, f"{purpose}:{body}".encode("utf-8", "surrogatepass"), "sha256")
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
