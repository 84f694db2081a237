"""Canaries for the tests of hostile files: a file and a port that tell when anybody touched them."""

from __future__ import annotations

import ctypes
import os
import socket
from pathlib import Path
from types import TracebackType

IN_ACCESS, IN_OPEN = 0x1, 0x20


class FileCanary:
    """Tells whether a file was opened or read since it was set up (Linux)."""

    def __init__(self, path: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._watcher = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._watcher < 0 or libc.inotify_add_watch(self._watcher, bytes(path), IN_OPEN | IN_ACCESS) < 0:
            raise OSError(ctypes.get_errno(), "no watch can be set")

    def touched(self) -> bool:
        try:
            return bool(os.read(self._watcher, 4096))
        except BlockingIOError:
            return False

    def __enter__(self) -> FileCanary:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._watcher)


class PortCanary:
    """Listens on a port of this machine and counts who comes, without answering."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]

    def touched(self) -> bool:
        try:
            self._listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> PortCanary:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
