"""Real brokers for tests: the shared ones under a prefix of one's own, and a Redis of one's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from amqp.exceptions import ChannelError

from app.core.config import Settings
from app.schemas.call import ALL_QUEUES
from app.workers.celery_app import broker_name, make_celery
from tests.process.service import free_port, wait_until

BROKERS = {
    "rabbitmq": os.environ.get("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//"),
    "redis": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0"),
}


def broker_url(name: str) -> str:
    """The shared server of this name. Without it the test is skipped, but with ``CI=true`` it fails."""
    url = BROKERS[name]
    host, port = address_of(url)
    if not _answers(host, port):
        _missing(f"no {name} at {host}:{port}")
    return url


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or (5672 if parts.scheme == "amqp" else 6379)


def through(url: str, port: int) -> str:
    """The same server, reached at another port of this machine."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:{port}"))


def forget(settings: Settings) -> None:
    """Remove what this installation left at a shared broker."""
    with make_celery(settings).connection_for_write() as connection:
        channel = connection.default_channel
        for queue in ALL_QUEUES:
            channel.queue_delete(broker_name(settings, queue))


def rings_waiting(settings: Settings) -> int:
    """How many rings lie there that nobody has heard."""
    with make_celery(settings).connection_for_read() as connection:
        channel, names = connection.default_channel, [broker_name(settings, queue) for queue in ALL_QUEUES]
        if settings.queue_url.startswith("redis"):  # asked in AMQP's way it forgets the prefix of its keys
            return sum(channel._size(name) for name in names)
        waiting = 0
        for name in names:
            with suppress(ChannelError):  # nobody has rung there, or listened, yet
                waiting += channel.queue_declare(name, passive=True).message_count
        return waiting


class PrivateRedis:
    """A Redis that only this test knows: it may be ended, and comes back empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: _answers("127.0.0.1", self.port), "the private Redis to answer")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def private_redis(folder: Path) -> Iterator[PrivateRedis]:
    if shutil.which("redis-server") is None:
        _missing("redis-server is not installed")
    server = PrivateRedis(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 2).close()
    except OSError:
        return False
    return True


def _missing(reason: str) -> None:
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(reason)
    pytest.skip(reason)
