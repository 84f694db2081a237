"""What happens between SIGTERM and the server's own reaction to it."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)


@contextmanager
def drained(retire: Callable[[], None], drain_s: float) -> Iterator[None]:
    """Call ``retire`` as soon as the process is told to stop, and let the server know ``drain_s`` later.

    In between, whoever asks `/ready` learns that no more requests should come here, and those that still
    come are answered. An interrupt from the keyboard is passed on at once. To be entered in the event loop;
    does nothing outside the main thread or where no server has set handlers.
    """
    loop = asyncio.get_running_loop()
    handlers = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not all(callable(handler) for handler in handlers.values()):
        yield
        return

    def pass_on(number: int) -> None:
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, None)

    def begin(number: int) -> None:
        log.info("service.stopping", extra={"signal": signal.Signals(number).name})
        retire()
        if number == signal.SIGTERM:
            loop.call_later(drain_s, pass_on, number)
        else:
            pass_on(number)

    def told(number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(begin, number)

    for name in handlers:
        signal.signal(name, told)
    try:
        yield
    finally:
        for name, handler in handlers.items():
            signal.signal(name, handler)


class LastAnswers:
    """Once the service is stopping, each connection is closed after its answer: clients go elsewhere."""

    def __init__(self, app: ASGIApp, is_stopping: Callable[[], bool]) -> None:
        self._app = app
        self._is_stopping = is_stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start" and self._is_stopping():
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_and_close)
