"""Who may come in: keys compared in constant time, and origins of pages that may call."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from pydantic import SecretStr

from app.core.exceptions import ConfigurationError


def place_of_key(presented: str, keys: Sequence[SecretStr]) -> int | None:
    """Which of ``keys`` was ``presented``, if any; takes the same time wherever it differs."""
    candidate = presented.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(candidate, key.get_secret_value().encode()) for key in keys]
    return matches.index(True) if any(matches) else None


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or an address) can be reached from this machine alone."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def check_exposure(host: str, keys: Sequence[SecretStr], allow_no_auth: bool) -> None:
    """Raises ConfigurationError when ``host`` would open a service without keys to other machines."""
    if keys or allow_no_auth or is_loopback(host):
        return
    raise ConfigurationError(
        f"refusing to serve on {host} without access control: set API_KEYS, or ALLOW_NO_AUTH=true"
    )


def origin_is_allowed(origin: str, host: str, allowed: Sequence[str]) -> bool:
    """Whether a page of ``origin`` may change state here: the same host, or one that CORS_ORIGINS names."""
    if "*" in allowed or origin in allowed:
        return True
    return urlsplit(origin).netloc.lower() == host.lower()
