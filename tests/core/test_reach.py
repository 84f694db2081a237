"""Whether a host can be reached, proxies and slow name servers included."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import pytest

from app.core.reach import is_reachable


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "http_proxy",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    with listener() as port:
        return port


def test_a_host_that_listens_is_reachable_and_a_closed_port_is_not() -> None:
    with listener() as port:
        assert is_reachable("127.0.0.1", port, 5)
    assert not is_reachable("127.0.0.1", closed_port(), 5)


def test_the_proxy_stands_for_hosts_beyond_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with listener() as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        assert is_reachable("weights.invalid", 443, 5)
        assert not is_reachable("127.0.0.1", closed_port(), 5)
    assert not is_reachable("weights.invalid", 443, 5)


def test_each_scheme_has_its_own_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with listener() as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        assert is_reachable("speech.invalid", 80, 5, "http")
        assert not is_reachable("speech.invalid", 443, 5)


def test_a_name_server_that_does_not_answer_costs_no_more_than_the_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered, asked = Event(), Event()

    def look_up(*_: object) -> list[object]:
        asked.set()
        answered.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        assert not is_reachable("slow.invalid", 443, 0.1)
        assert asked.is_set()
    finally:
        answered.set()
