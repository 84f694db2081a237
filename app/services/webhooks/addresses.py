"""Where webhooks may go: to the public internet over https, and to what an operator allows beside it.

Looked at twice, when an address is registered and before every connection. The second look gives the IP
addresses that the connection is then made to, so that a name cannot stand for another address in between.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from app.core.exceptions import ConfigurationError, WebhookUrlRefused

Address = IPv4Address | IPv6Address
Lookup = Callable[[str, int], Sequence[str]]
"""The IP addresses of a host name, as text; raises OSError."""

LONGEST_URL = 2048
_PORTS = {"http": 80, "https": 443}
_PRINTABLE = re.compile(r"[!-~]+")
_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)")
_FORBIDDEN = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
        # Of IPv6 all but the global unicast range, and in that what carries an IPv4 address inside
        # (Teredo and 6to4) or belongs to nobody's public host.
        "::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """What a URL says: ``host`` in lower case, without brackets; ``resource`` is path and query."""

    scheme: str
    host: str
    port: int
    resource: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True)
class Allowed:
    """What ``WEBHOOK_ALLOWED_HOSTS`` says; a port of None stands for all ports."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, entries: Sequence[str]) -> Allowed:
        """Raises ConfigurationError that names the entry."""
        hosts: set[tuple[str, int | None]] = set()
        networks = []
        for entry in entries:
            try:
                if "/" in entry:
                    networks.append(ipaddress.ip_network(entry))
                else:
                    hosts.add(_host_and_port(entry))
            except ValueError:
                raise ConfigurationError(
                    f"WEBHOOK_ALLOWED_HOSTS: {entry!r} is no host, host:port or network"
                ) from None
        return cls(frozenset(hosts), tuple(networks))

    def names(self, target: Target) -> bool:
        return bool(self.hosts & {(target.host, None), (target.host, target.port)})

    def covers(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


class AddressGuard:
    """Says whether, and to which IP addresses, a webhook may be sent. Thread-safe."""

    def __init__(self, allowed: Allowed, lookup: Lookup | None = None) -> None:
        """``lookup`` stands for the system's resolver."""
        self._allowed = allowed
        self._lookup = lookup or _system_lookup

    def admit(self, url: str) -> tuple[Target, tuple[Address, ...]]:
        """The target and every address that may be connected to, in the resolver's order.

        Raises WebhookUrlRefused. A name of which one address is forbidden is refused as a whole.
        """
        target = target_of(url)
        addresses = self._addresses(target)
        if self._allowed.names(target):
            return target, addresses
        inside = [self._allowed.covers(address) for address in addresses]
        if not all(allowed or is_public(address) for allowed, address in zip(inside, addresses, strict=True)):
            raise _refused("leads to an address that is not on the public internet")
        if not all(inside):
            if target.scheme != "https":
                raise _refused("must begin with https://")
            if target.port != _PORTS["https"]:
                raise _refused(f"must use port {_PORTS['https']}")
        return target, addresses

    def _addresses(self, target: Target) -> tuple[Address, ...]:
        try:
            return (ipaddress.ip_address(target.host),)
        except ValueError:
            pass
        try:
            found = self._lookup(target.host, target.port)
            addresses = tuple(dict.fromkeys(ipaddress.ip_address(address) for address in found))
        except (OSError, ValueError):
            addresses = ()
        if not addresses:
            raise _refused("names a host that cannot be found")
        return addresses


def target_of(url: str) -> Target:
    """Take a URL apart. Raises WebhookUrlRefused for what could be read in more than one way."""
    if len(url) > LONGEST_URL or not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise _refused(f"must have at most {LONGEST_URL} printable ASCII characters, and no backslash")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("cannot be read") from None
    if parts.scheme not in _PORTS:
        raise _refused("must begin with https://")
    if "@" in parts.netloc:
        raise _refused("must hold no user or password")
    if "#" in url:
        raise _refused("must hold no fragment")
    host = parts.hostname or ""
    if not _is_host(host) or port == 0:
        raise _refused("names no host that can be used")
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, _PORTS[parts.scheme] if port is None else port, resource)


def is_public(address: Address) -> bool:
    """Whether the address is one of a host on the public internet."""
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _FORBIDDEN if network.version == address.version)
    )


def _is_host(host: str) -> bool:
    """A name, an IPv6 address, or an IPv4 address in its one common form.

    What ends in a number is an address to many programs: `2130706433`, `0x7f.1` and `127.1` are loopback.
    """
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return "%" not in host and bool(ipaddress.ip_address(host))
        except ValueError:
            return False
    return _NAME.fullmatch(host) is not None


def _host_and_port(entry: str) -> tuple[str, int | None]:
    """Raises ValueError."""
    bare = entry.lower() if entry.count(":") < 2 or entry.startswith("[") else f"[{entry.lower()}]"
    parts = urlsplit(f"//{bare}")
    if parts.netloc != bare or "@" in bare or not _is_host(parts.hostname or ""):
        raise ValueError(entry)
    return parts.hostname or "", parts.port


def _system_lookup(host: str, port: int) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _refused(reason: str) -> WebhookUrlRefused:
    return WebhookUrlRefused(f"the address {reason}", errors=[{"field": "url", "message": reason}])
