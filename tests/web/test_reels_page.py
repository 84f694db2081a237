"""Reels of several calls on pages: what they are asked of, how they are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.schemas.call import CallFilter
from app.schemas.reel import Cue, MomentFilter, Reel, ReelSource, ReelWish
from tests.web.clients import SCRIPT, services_of

REEL_ID = "3f0c9be27a55e1c3aa4f1c0d9be27a55"


def cue(call_id: str, start_s: float, unspoken: tuple[str, ...] = ()) -> Cue:
    return Cue(
        call_id=call_id,
        moment_id="m_1",
        type="objection",
        subtype="price",
        title="Objection",
        start_s=start_s,
        end_s=start_s + 9,
        call_start_s=760.4,
        call_end_s=769.4,
        speaker="speaker_1",
        role="customer",
        confidence=0.9,
        tip="Ask.",
        unspoken=unspoken,
    )


REEL = Reel(
    reel_id=REEL_ID,
    audio_key="reels/x",
    audio_bytes=3,
    duration_s=18.0,
    source=ReelSource.NARRATED,
    engine="pyttsx3",
    cues=(cue("C-1", 0.0), cue("<b>", 9.0, ("tip",))),
    created_at=datetime(2026, 2, 21, tzinfo=UTC),
)


@pytest.fixture
def asked(open_app: TestClient, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the service is asked for; it has one reel."""
    wanted: list[Any] = []

    def of_calls(*given: Any) -> Reel:
        wanted.append(given)
        return REEL

    reels = services_of(open_app).reels
    monkeypatch.setattr(reels, "of_calls", of_calls)
    monkeypatch.setattr(reels, "find", lambda reel_id: REEL)
    return wanted


def test_an_agents_week_is_asked_for_and_shown(open_app: TestClient, asked: list[Any]) -> None:
    fields = {"source": "original", "agent_id": "ann", "team_id": "", "date_from": "2026-02-16"}
    answer = open_app.post("/ui/reels", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/ui/reels/{REEL_ID}")
    since = datetime(2026, 2, 16, tzinfo=UTC)
    wish = ReelWish(ReelSource.ORIGINAL, 180)
    assert asked == [(CallFilter(agent_id="ann", date_from=since), MomentFilter(), wish)]
    html = open_app.get(f"/ui/reels/{REEL_ID}").text
    assert f'src="/reels/{REEL_ID}"' in html
    assert 'href="/ui/calls/C-1#m_1"' in html
    assert 'data-seek="9.0"' in html
    assert "<b>" not in html
    assert "without tip: no voice could be had" in html


def test_a_script_gets_what_opens_as_a_dialog(open_app: TestClient, asked: list[Any]) -> None:
    fields = {"kind": "objection", "subtype": "price", "team_id": "emea"}
    html = open_app.post("/ui/reels", data=fields, headers=SCRIPT).text
    assert "<html" not in html
    assert "0:18 of 2 calls" in html
    assert asked[0][1] == MomentFilter(("objection",), ("price",))


def test_what_cannot_be_made_is_told(open_app: TestClient) -> None:
    nothing = open_app.post("/ui/reels", data={"agent_id": "nobody"})
    assert nothing.status_code == 404
    assert "no_coachable_moments" in nothing.text
    assert open_app.post("/ui/reels", data={"source": "sung"}).status_code == 422
    assert open_app.get(f"/ui/reels/{REEL_ID}").status_code == 404
