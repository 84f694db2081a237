"""SIGTERM and SIGINT as an event."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress


def set_when_told_to_stop(stopping: threading.Event) -> None:
    """Have SIGTERM and SIGINT set ``stopping``. To be called in the main thread.

    A handler runs in the middle of whatever the main thread does. If that waits for the event, it may hold
    the event's lock at that moment, and a handler that sets it would wait for that lock for ever. So the
    handler writes to a pipe, which takes no lock, and a thread does the rest.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def told(*_: object) -> None:
        with suppress(BlockingIOError):  # it was told often enough
            os.write(writer, b"\0")

    def wait() -> None:
        os.read(reader, 1)
        stopping.set()

    threading.Thread(target=wait, name="signals", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
