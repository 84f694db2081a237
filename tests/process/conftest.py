"""A service for tests that ask for nothing but the defaults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.process.service import Service, running, wait_until, write_script


@pytest.fixture(scope="session")
def service_on_defaults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("defaults")
    write_script(folder)
    with running(folder) as service:
        yield service


@pytest.fixture
def plain(service_on_defaults: Service) -> Iterator[Service]:
    """A service on the defaults, ready and without a call or a recording; it is left so."""
    service = service_on_defaults
    write_script(service.folder)
    wait_until(lambda: service.get("/ready").status_code == 200, "the service to be ready")
    assert service.get("/calls").json()["items"] == []
    yield service
    for item in service.get("/calls?limit=200").json()["items"]:
        assert service.delete(f"/calls/{item['call_id']}").status_code == 204
    wait_until(lambda: service.stored_files() == [], "all recordings to be gone")
