"""Whatever is sent to a page, it answers with a page, a refusal or the way to another, not with a defect."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from app.web.pages import ROUTERS
from tests.web.call.negotiation import PRICE, SILENCE, store_negotiation
from tests.web.clients import Elements, pages
from tests.web.hostile import SCRIPT_TAG, Hostile
from tests.web.test_clips_pages import keep

ROUNDS = 8
KNOWN = {
    "call_id": ("DEAL", "PEOPLE", "C-404"),
    "moment_id": (PRICE, SILENCE),
    "clip_id": ("clip_a",),
    "name": ("default",),
    "agent_id": ("agent-1",),
    "team_id": ("team-1",),
    "index": ("0", "1", "2", "4"),
    "text": ("other words",),
}
NEEDS_WORKER = ("/ui/calls", "/ui/demo")
"""There is none here: they answer 503."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pages(tmp_path_factory.mktemp("hostile")) as made:
        yield made


def store_anew(client: TestClient) -> None:
    """What an earlier round removed is there again."""
    for number, call_id in enumerate(KNOWN["call_id"][:2]):
        client.post(f"/ui/calls/{call_id}/delete")
        store_negotiation(client, call_id, audio_key=f"{number:032}")
    keep(client, "clip_a", "Price", call_id="DEAL")


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_no_value_of_any_field_breaks_a_page(client: TestClient, seed: int) -> None:
    hostile = Hostile(seed, KNOWN)
    store_anew(client)
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    assert len(routes) > 50
    for route in routes:
        shot = hostile.shot(route)
        answer = client.request(shot.method, shot.url, headers=shot.headers, content=shot.body)
        assert answer.status_code < 500 or (answer.status_code, route.path in NEEDS_WORKER) == (503, True), (
            shot
        )
        assert "a" not in answer.cookies, shot
        if answer.headers.get("content-type", "").startswith("text/html"):
            assert SCRIPT_TAG not in answer.text, shot
            assert Elements(answer.text).inline == [], shot
