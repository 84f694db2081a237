"""Whether a host can be reached, found out quickly and before anything depends on it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from app.core.security import is_loopback


def is_reachable(host: str, port: int, timeout_s: float, scheme: str = "https") -> bool:
    """Whether ``host``, or the proxy that leads ``scheme`` to it, takes a connection within ``timeout_s`` s.

    Looking up its name is part of that time. The system's look-up obeys no timeout of ours, so it is waited
    for from outside, in a thread that ends when the look-up does.
    """
    reached = threading.Event()

    def connect() -> None:
        with suppress(OSError), socket.create_connection(_next_hop(host, port, scheme), timeout_s):
            reached.set()

    thread = threading.Thread(target=connect, name="reach", daemon=True)
    thread.start()
    thread.join(timeout_s)
    return reached.is_set()


def _next_hop(host: str, port: int, scheme: str) -> tuple[str, int]:
    proxy = getproxies().get(scheme)
    if not proxy or is_loopback(host) or proxy_bypass(host):
        return host, port
    address = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return address.hostname or host, address.port or 80
