"""Keys and ids that somebody guesses, over HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.api import deps
from app.core.door import Door
from app.core.exceptions import CallNotFound
from app.core.guesses import LIMIT, WINDOW_S
from app.core.sessions import COOKIE
from app.db.migrate import migrate
from app.main import create_app
from app.services.bootstrap import Services
from app.services.call_service import new_call_id
from tests.db.databases import sqlite_url
from tests.db.values import completed
from tests.settings import make_settings

KEY = "a-key-of-this-service"
MADE = 1_790_000_000.0


class Site:
    """An application that asks for a key, and clients of it at several addresses."""

    def __init__(self, folder: Path) -> None:
        made = make_settings(folder, database_url=sqlite_url(folder), api_keys=(KEY,))
        self.app = create_app(made)
        self.door: Door = self.app.state.door
        runtime = self.app.state.runtime
        migrate(runtime.services.database)
        self.services: Services = runtime.services
        self.app.dependency_overrides[deps._runtime] = lambda: runtime

    def at(self, address: str, key: str | None = None) -> TestClient:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        client = (address, 50_000)
        return TestClient(self.app, base_url="http://localhost", client=client, headers=headers)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Each test asks from addresses of its own."""
    made = Site(tmp_path_factory.mktemp("guessing"))
    yield made
    made.services.database.dispose()


def statuses(client: TestClient, keys: list[str], path: str = "/calls") -> list[int]:
    return [client.get(path, headers={"Authorization": f"Bearer {key}"}).status_code for key in keys]


def wrong(times: int) -> list[str]:
    return [f"wrong-{number}" for number in range(times)]


def test_a_hundred_wrong_keys_of_one_source_are_too_many(site: Site) -> None:
    guesser = site.at("192.0.2.10")
    assert statuses(guesser, wrong(100)) == [401] * LIMIT + [429] * (100 - LIMIT)
    told = guesser.get("/calls", headers={"Authorization": f"Bearer {KEY}"})
    body = told.json()
    assert (told.status_code, body["code"]) == (429, "too_many_wrong_keys")
    assert told.headers["content-type"] == "application/problem+json"
    assert 0 < int(told.headers["retry-after"]) <= WINDOW_S
    assert body["request_id"] == told.headers["x-request-id"]
    assert KEY not in told.text
    assert site.at("192.0.2.11", KEY).get("/calls").status_code == 200


def test_whatever_is_asked_for_counts_and_what_is_open_stays_open(site: Site) -> None:
    guesser = site.at("192.0.2.20")
    for number, key in enumerate(wrong(LIMIT)):
        path = ("/nowhere", "/docs", "/metrics", "/", "/calls/C-1/audio")[number % 5]
        assert statuses(guesser, [key], path) in ([401], [200])  # a page leads to the login
    assert statuses(guesser, ["more"]) == [429]
    assert statuses(guesser, ["more"], "/health") == [200]
    assert guesser.get("/ui/login").status_code == 200


def test_who_sends_no_key_guesses_none(site: Site) -> None:
    client = site.at("192.0.2.30")
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Basic dTpw"}):
        for _ in range(2 * LIMIT):
            assert client.get("/calls", headers=headers).status_code == 401
    assert statuses(client, [KEY]) == [200]


def test_addresses_of_one_network_of_version_6_are_one_source(site: Site) -> None:
    found = [statuses(site.at(f"2001:db8::{n:x}"), [key]) for n, key in enumerate(wrong(LIMIT + 1))]
    assert found == [[401]] * LIMIT + [[429]]
    assert statuses(site.at("2001:db8:0:1::1"), [KEY]) == [200]


def test_the_login_and_the_api_count_together(site: Site) -> None:
    client = site.at("192.0.2.50")
    for key in wrong(LIMIT):
        assert client.post("/ui/login", data={"key": key}).status_code == 401
    assert statuses(client, [KEY]) == [429]


def test_without_keys_nobody_guesses(tmp_path: Path) -> None:
    made = make_settings(tmp_path, database_url=sqlite_url(tmp_path))
    app = create_app(made)
    runtime = app.state.runtime
    migrate(runtime.services.database)
    app.dependency_overrides[deps._runtime] = lambda: runtime
    client = TestClient(app, base_url="http://localhost")
    assert set(statuses(client, wrong(2 * LIMIT))) == {200}
    runtime.services.database.dispose()


def test_the_description_names_it_wherever_a_key_is_needed(site: Site) -> None:
    paths: dict[str, dict[str, Any]] = site.app.openapi()["paths"]
    answers = [operation["responses"] for operations in paths.values() for operation in operations.values()]
    assert len([found for found in answers if "429" in found]) > 50
    assert [found for found in answers if ("401" in found) != ("429" in found)] == []


def guessed_ids(real: str, times: int) -> Iterator[str]:
    """As somebody supposes them who knows when a call was made, or its id but for a letter or its case."""
    beginning, digits = real.rsplit("-", 1)
    yield from (real.upper(), real[:-1], f"{real}0", f"{beginning}-%", f"{beginning}-" + "_" * 16, "%", "")
    yield from (f"{beginning}-{int(digits, 16) ^ bit:016x}" for bit in (1 << n for n in range(64)))
    for _ in range(times):
        yield f"{beginning}-{secrets.token_hex(8)}"


def test_ten_thousand_guessed_ids_are_no_call(site: Site) -> None:
    real = new_call_id(lambda: MADE)
    completed(site.services.database, real, 0)
    calls = site.services.calls
    guesses = list(guessed_ids(real, 10_000))
    assert len(set(guesses)) > 10_000
    assert set(calls.states([real, *guesses[:100]])) == {real}
    for first in range(0, len(guesses), 500):
        assert calls.states(guesses[first : first + 500]) == {}
    for guess in guesses[:200]:
        with pytest.raises(CallNotFound):
            calls.read(guess)


def test_over_http_neither(site: Site) -> None:
    real = new_call_id(lambda: MADE)
    completed(site.services.database, real, 0)
    client = site.at("192.0.2.99", KEY)
    assert client.get(f"/calls/{real}").status_code == 200
    for guess in filter(None, guessed_ids(real, 20)):
        assert client.get(f"/calls/{guess}").status_code in (404, 422), guess


def test_who_has_no_key_does_not_learn_which_ids_there_are(site: Site) -> None:
    completed(site.services.database, "CALL-1", 0)
    stranger = site.at("192.0.2.100")
    for path in ("", "/audio", "/waveform", "/comments", "/events"):
        told = []
        for call_id in ("CALL-1", "CALL-2"):
            answer = stranger.get(f"/calls/{call_id}{path}", headers={"Cookie": f"{COOKIE}=x"})
            body = answer.json()
            del body["request_id"], body["instance"]
            told.append((answer.status_code, body))
        assert told[0] == told[1]
        assert told[0][0] == 401
