"""What the page of a call asks engines for: words put right, judged again, heard again, kept as a clip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.schemas.analysis import CallStatus
from app.schemas.clip import ClipFilter, ConsentState
from tests.api.clients import started
from tests.process.service import tone
from tests.web.clients import FORM, SCRIPT, services_of
from tests.web.test_call_actions import wait_for_end


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with started(tmp_path_factory.mktemp("work")) as client:
        client.follow_redirects = False
        client.headers.update(FORM)
        form = {"call_id": "DEAL", "language": "en"}
        assert client.post("/ui/calls", data=form, files={"audio": ("a.wav", tone(4.0))}).status_code == 303
        assert wait_for_end(client, "DEAL").startswith(CallStatus.COMPLETED)
        yield client


def said(client: TestClient) -> str:
    return services_of(client).calls.finished("DEAL")[1].transcript


def test_words_are_put_right_and_given_back(working: TestClient) -> None:
    heard = said(working)
    question = working.get("/ui/calls/DEAL/segments/0", headers=SCRIPT)
    assert heard in question.text
    assert "Give back" not in question.text
    answer = working.post("/ui/calls/DEAL/segments/0", data={"text": "that is fine for us"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/calls/DEAL#s0")
    assert said(working) == "that is fine for us"
    html = working.get("/ui/calls/DEAL").text
    assert f"<q>{heard}</q>" in html
    assert "1 corrected" in html
    assert "Give back" in working.get("/ui/calls/DEAL/segments/0").text
    form = {"text": "that is fine for us", "original": "yes"}
    assert working.post("/ui/calls/DEAL/segments/0", data=form).status_code == 303
    assert said(working) == heard


def test_words_that_are_none_are_refused(working: TestClient) -> None:
    heard = said(working)
    answer = working.post("/ui/calls/DEAL/segments/0", data={"text": " ... "}, headers=SCRIPT)
    assert answer.status_code == 422
    assert said(working) == heard
    assert working.get("/ui/calls/DEAL/segments/99").status_code == 404


def test_a_moment_is_kept_as_a_clip(working: TestClient) -> None:
    moment = services_of(working).calls.finished("DEAL")[1].segments[0].moments[0]
    place = f"/ui/calls/DEAL/moments/{moment.id}/clip"
    form = {"folder": " Price ", "title": "", "consent": "recorded", "recorded_by": "Robin"}
    answer = working.post(place, data=form, headers=SCRIPT)
    assert "Kept as" in answer.text
    ((clip,), _) = services_of(working).clips.page(ClipFilter(), 10, None)
    assert (clip.folder, clip.consent.state, clip.consent.recorded_by) == (
        "Price",
        ConsentState.RECORDED,
        "Robin",
    )
    assert '<option value="Price">' in working.get(place, headers=SCRIPT).text


def test_a_reel_is_made_and_played_on_a_page_of_its_own_or_in_the_panel(working: TestClient) -> None:
    form = {"source": "original", "types": ["objection"], "role": "", "max_seconds": "180"}
    answer = working.post("/ui/calls/DEAL/reel", data=form)
    assert answer.status_code == 303
    reel_id = answer.headers["location"].removeprefix("/ui/calls/DEAL/reel/")
    alone = working.get(answer.headers["location"]).text
    assert f'src="/reels/{reel_id}"' in alone
    assert working.get(f"/reels/{reel_id}", headers={"Accept": "audio/mpeg"}).status_code == 200
    part = working.post("/ui/calls/DEAL/reel", data=form, headers=SCRIPT).text
    assert f'src="/reels/{reel_id}"' in part
    assert "<html" not in part
    assert part.count("data-reel-seek") == 1
    assert working.get(f"/ui/calls/OTHER/reel/{reel_id}").status_code == 404


def test_a_reel_of_nothing_is_told(working: TestClient) -> None:
    form = {"source": "original", "types": ["churn_risk"]}
    answer = working.post("/ui/calls/DEAL/reel", data=form, headers=SCRIPT)
    assert (answer.status_code, "no_coachable_moments" in answer.text) == (404, True)


def test_the_work_is_done_again(working: TestClient) -> None:
    form = working.get("/ui/calls/DEAL/again", headers=SCRIPT).text
    assert '<option value="default" selected>' in form
    for place, fields in (("reanalyze", {"playbook": "default"}), ("run", {"from": "transcription"})):
        answer = working.post(f"/ui/calls/DEAL/{place}", data=fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/ui/calls/DEAL")
        assert wait_for_end(working, "DEAL").startswith(CallStatus.COMPLETED)
    assert working.post("/ui/calls/DEAL/run", data={"from": "nowhere"}).status_code == 422
