"""Two applications for all tests of pages: one open, one that asks for a key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.web.clients import KEY, pages


@pytest.fixture(scope="session")
def open_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pages(tmp_path_factory.mktemp("open")) as client:
        yield client


@pytest.fixture(scope="session")
def keyed_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pages(tmp_path_factory.mktemp("keyed"), api_keys=(KEY, "another-key")) as client:
        yield client


@pytest.fixture
def keyed(keyed_app: TestClient) -> Iterator[TestClient]:
    """Nobody is signed in yet."""
    keyed_app.cookies.clear()
    yield keyed_app
    keyed_app.cookies.clear()
