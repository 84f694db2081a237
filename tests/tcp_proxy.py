"""A way through to a server that can be cut, so that the server seems to be gone while it lives."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class TcpProxy:
    """Passes on what comes to ``port`` of this machine, until it is cut."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection, and each new one as soon as it comes."""
        with self._lock:
            self._is_cut = True
            broken, self._open = self._open, set()
        for side in broken:
            _close(side)

    def mend(self) -> None:
        with self._lock:
            self._is_cut = False

    def close(self) -> None:
        self.cut()
        _close(self._listener)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with self._lock:
            is_cut = self._is_cut
        if is_cut:
            _close(client)
            return
        try:
            server = socket.create_connection(self._server)
        except OSError:
            _close(client)
            return
        with self._lock:
            self._open |= {client, server}
            is_cut = self._is_cut
        if is_cut:
            _close(client)
            _close(server)
            return
        threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
        self._pass_on(server, client)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(64 * 1024):
                target.sendall(chunk)
        for side in (source, target):
            with self._lock:
                self._open.discard(side)
            _close(side)


@contextmanager
def proxy(host: str, port: int) -> Iterator[TcpProxy]:
    way = TcpProxy(host, port)
    try:
        yield way
    finally:
        way.close()


def _close(side: socket.socket) -> None:
    with suppress(OSError):
        side.shutdown(socket.SHUT_RDWR)  # wakes whoever reads from it
    side.close()
