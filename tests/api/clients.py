"""The whole application in this process, with a database of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from app.main import create_app
from app.services.bootstrap import Services
from tests.db.databases import sqlite_url
from tests.settings import make_settings


@contextmanager
def started(folder: Path, **settings: Any) -> Iterator[TestClient]:
    """A client of an application that runs. Its speech engine hears `that is too expensive for us`."""
    sidecar = folder / "transcript.json"
    sidecar.write_text(json.dumps({"language": "en", "text": "that is too expensive for us"}))
    made = make_settings(folder, scripted_transcript=sidecar, database_url=sqlite_url(folder), **settings)
    with TestClient(create_app(made), base_url="http://localhost") as client:
        yield client


def services_of(client: TestClient) -> Services:
    services: Services = client.app.state.runtime.services  # type: ignore[attr-defined]
    return services
