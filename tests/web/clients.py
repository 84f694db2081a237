"""The application with a database of its own, without engines: what pages show needs none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from app.api import deps
from app.main import create_app
from app.services.bootstrap import Services
from tests.db.databases import migrated_sqlite_url
from tests.settings import make_settings

KEY = "a-key-of-this-service"
FORM = {"Accept": "text/html"}
SCRIPT = {"HX-Request": "true", "Accept": "*/*"}


@contextmanager
def pages(folder: Path, **settings: Any) -> Iterator[TestClient]:
    """A client that follows no redirects."""
    app = create_app(make_settings(folder, database_url=migrated_sqlite_url(folder), **settings))
    runtime = app.state.runtime
    app.dependency_overrides[deps._runtime] = lambda: runtime
    client = TestClient(app, base_url="http://localhost", follow_redirects=False, headers=FORM)
    try:
        yield client
    finally:
        client.close()
        runtime.services.database.dispose()


def services_of(client: TestClient) -> Services:
    services: Services = client.app.state.runtime.services  # type: ignore[attr-defined]
    return services


def signed_in(client: TestClient, key: str = KEY) -> str:
    """Signs in and returns the token of this session's forms."""
    assert client.post("/ui/login", data={"key": key}).status_code == 303
    return token_of(client.get("/").text)


def token_of(page: str) -> str:
    found = re.search(r'<meta name="csrf-token" content="([^"]*)">', page)
    assert found
    return found[1]


class Elements(HTMLParser):
    """What a page holds: elements with their attributes, what is inline, its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.inline: list[str] = []
        self.text = ""
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        self.inline += [f"{tag} {name}" for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style") and data.strip():
            self.inline.append(data)
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for kind, attributes in self.found if kind == tag]
