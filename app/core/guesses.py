"""How often each source guessed wrong lately. Bounded, and no guess is kept as it was sent."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

LIMIT = 20
"""More than somebody mistypes; at most 80 an hour, so that 9,000 common passwords take five days."""
WINDOW_S = 15 * 60
MOST_SOURCES = 4096
"""Some 6 MB at worst. Whoever has more addresses than that can guess from each of them anyway."""
LONGEST_NAME = 64


@dataclass(slots=True)
class _Window:
    ends_at: float
    guesses: list[bytes] = field(default_factory=list)
    refusals: int = 0


class Guesses:
    """Wrong guesses by source, in windows that begin with the first of them. Not thread-safe.

    The same guess again is none: it can tell nobody anything, and a client that goes on with a key of
    yesterday does not keep others of its address out (Active Directory spares repeated passwords for this).
    """

    def __init__(self, clock: Callable[[], float], most_sources: int = MOST_SOURCES) -> None:
        self._clock = clock
        self._most_sources = most_sources
        self._secret = secrets.token_bytes(16)
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def wait_s(self, source: str) -> int:
        """Seconds until ``source`` may guess again; 0: now."""
        window = self._current(source)
        return self._left(window) if window and len(window.guesses) >= LIMIT else 0

    def refuse(self, source: str, guess: str) -> int:
        """Note that ``guess`` was wrong. Seconds that whoever sent it should wait now; 0: none.

        A guess that is sent on and on has to wait, too, though it is not counted again.
        """
        window = self._current(source) or self._begin(source)
        seen = hashlib.blake2b(
            guess.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=16
        ).digest()
        if seen not in window.guesses and len(window.guesses) < LIMIT:
            window.guesses.append(seen)
        window.refusals += 1
        return self._left(window) if window.refusals > LIMIT else 0

    def __len__(self) -> int:
        """Sources that are remembered."""
        return len(self._windows)

    def _current(self, source: str) -> _Window | None:
        window = self._windows.get(source)
        return window if window and window.ends_at > self._clock() else None

    def _begin(self, source: str) -> _Window:
        """All windows are equally long: the first in order ends first."""
        self._windows.pop(source, None)
        if len(self._windows) >= self._most_sources:
            self._windows.popitem(last=False)
        window = self._windows[source] = _Window(self._clock() + WINDOW_S)
        return window

    def _left(self, window: _Window) -> int:
        return max(1, ceil(window.ends_at - self._clock()))


def source_of(host: str) -> str:
    """Who counts as one: an IPv4 address, or the /64 that one customer of a provider has in IPv6.

    What is no address (a socket of this machine, a name that a proxy gave) counts under its name.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:LONGEST_NAME]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{ipaddress.IPv6Address(int(address) >> 64 << 64)}/64"
