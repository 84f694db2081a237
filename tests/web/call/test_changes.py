"""What reviewers do on the page of a call: verdicts, names, comments, clips; with scripts and without."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.schemas.clip import ClipFilter
from app.schemas.review import Verdict
from app.schemas.speaker import Role
from app.web.call.comment_actions import seconds_of
from tests.db.values import T0
from tests.web.call.negotiation import PRICE, store_negotiation
from tests.web.clients import KEY, SCRIPT, pages, services_of, signed_in

REVIEW = f"/ui/calls/DEAL/moments/{PRICE}/review"

WRONG = {"verdict": "wrong", "note": "small talk", "says_note": "true"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pages(tmp_path_factory.mktemp("changes")) as made:
        for call_id in ("DEAL", "PEOPLE"):
            store_negotiation(made, call_id)
        store_negotiation(made, "CLIP", audio_key=None, audio_deleted_at=T0)
        yield made


def verdict_of(client: TestClient) -> tuple[str, str | None, str | None, str | None] | None:
    for review, _ in services_of(client).reviews.of_call("DEAL"):
        said = review.opinion
        return (said.verdict, said.correct_type, said.correct_subtype, said.note)
    return None


def test_a_verdict_without_scripts_leads_back_to_its_moment(client: TestClient) -> None:
    answer = client.post(REVIEW, data={"verdict": "right"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/ui/calls/DEAL#{PRICE}")
    assert verdict_of(client) == (Verdict.RIGHT, None, None, None)


def test_a_script_gets_the_moment_alone_with_its_verdict(client: TestClient) -> None:
    answer = client.post(REVIEW, data=WRONG, headers=SCRIPT)
    assert answer.text.lstrip().startswith('<li class="moment-card')
    assert 'data-verdict="wrong"' in answer.text
    assert "small talk" in answer.text
    assert "Take the verdict on moment 1 back" in answer.text


def test_another_click_keeps_the_note(client: TestClient) -> None:
    client.post(REVIEW, data=WRONG)
    client.post(REVIEW, data={"verdict": "right"}, headers=SCRIPT)
    assert verdict_of(client) == (Verdict.RIGHT, None, None, "small talk")


def test_another_type_is_said_in_a_form_of_its_own(client: TestClient) -> None:
    question = client.get(REVIEW, headers=SCRIPT)
    assert "<html" not in question.text
    assert "<html" in client.get(REVIEW).text
    form = {"verdict": "other", "type": "hesitation", "subtype": "price", "says_note": "true"}
    client.post(REVIEW, data=form)
    assert verdict_of(client) == (Verdict.OTHER, "hesitation", None, None)


def test_another_type_that_is_none_is_told_where_it_was_asked(client: TestClient) -> None:
    answer = client.post(REVIEW, data={"verdict": "other", "type": ""}, headers=SCRIPT)
    assert answer.status_code == 422
    assert "must be given with the verdict other" in answer.text


def test_a_verdict_is_taken_back(client: TestClient) -> None:
    client.post(REVIEW, data={"verdict": "right"})
    answer = client.post(REVIEW, data={"verdict": "none"}, headers=SCRIPT)
    assert 'data-verdict="none"' in answer.text
    assert verdict_of(client) is None


def test_there_is_no_verdict_on_a_moment_that_is_not_there(client: TestClient) -> None:
    answer = client.post("/ui/calls/DEAL/moments/m_other/review", data={"verdict": "right"}, headers=SCRIPT)
    assert (answer.status_code, "moment_not_found" in answer.text) == (404, True)


def test_a_speaker_gets_a_name_and_loses_it(client: TestClient) -> None:
    place = "/ui/calls/PEOPLE/speakers"
    answer = client.post(place, data={"speaker": "speaker_0", "role": "agent", "name": " Zoë "})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/calls/PEOPLE#speakers")
    html = client.get("/ui/calls/PEOPLE").text
    assert 'segment-who">Zoë<' in html
    assert 'value="Zoë"' in html
    client.post(place, data={"speaker": "speaker_0", "role": "agent", "name": ""})
    assert "Zoë" not in client.get("/ui/calls/PEOPLE").text


def test_speakers_are_swapped_and_swapped_back(client: TestClient) -> None:
    pair = {"first": "speaker_0", "second": "speaker_1"}
    for role in (Role.CUSTOMER, Role.AGENT):
        assert client.post("/ui/calls/PEOPLE/speakers/swap", data=pair).status_code == 303
        _, analysis = services_of(client).calls.finished("PEOPLE")
        assert analysis.speakers[0].role is role


def test_speakers_are_merged(client: TestClient) -> None:
    store_negotiation(client, "MERGE")
    merge = {"speaker": "speaker_1", "into": "speaker_0"}
    assert client.post("/ui/calls/MERGE/speakers/merge", data=merge).status_code == 303
    _, analysis = services_of(client).calls.finished("MERGE")
    assert [speaker.id for speaker in analysis.speakers] == ["speaker_0"]


def test_a_speaker_that_is_not_there_is_refused(client: TestClient) -> None:
    answer = client.post("/ui/calls/PEOPLE/speakers", data={"speaker": "speaker_7", "role": "agent"})
    assert answer.status_code == 422


def test_comments_are_made_changed_and_deleted(client: TestClient) -> None:
    place = "/ui/calls/DEAL/comments"
    made = client.post(place, data={"text": "<b>Ask</b>", "at": "0:20", "author": "Robin"}, headers=SCRIPT)
    assert "&lt;b&gt;Ask&lt;/b&gt;" in made.text
    assert re.findall(r'<svg x="([\d.]+)%"', made.text) == ["50.0"]
    assert 'id="pins" hx-swap-oob="true"' in made.text
    (comment,) = services_of(client).comments.of_call("DEAL")
    assert (comment.time_s, comment.author) == (20.0, "Robin")
    assert "<b>" not in client.get(f"{place}/{comment.id}", headers=SCRIPT).text
    changed = client.post(f"{place}/{comment.id}", data={"text": "Ask first", "at": "30", "author": ""})
    assert changed.headers["location"] == "/ui/calls/DEAL#comments"
    (comment,) = services_of(client).comments.of_call("DEAL")
    assert (comment.time_s, comment.text, comment.author) == (30.0, "Ask first", None)
    assert "Ask first" in client.get("/ui/calls/DEAL").text
    gone = client.post(f"{place}/{comment.id}/delete", headers=SCRIPT)
    assert "Nobody has commented yet" in gone.text
    assert client.get(f"{place}/{comment.id}").status_code == 404


@pytest.mark.parametrize(
    ("clock", "seconds"), [("0:07", 7.0), ("12:40", 760.0), ("1:02:03", 3723.0), ("76.5", 76.5)]
)
def test_times_are_read_as_people_write_them(clock: str, seconds: float) -> None:
    assert seconds_of(clock) == seconds


def test_a_time_that_is_none_or_not_in_the_call_is_refused(client: TestClient) -> None:
    for at in ("soon", "-1", "1:00"):
        answer = client.post("/ui/calls/DEAL/comments", data={"text": "a", "at": at}, headers=SCRIPT)
        assert answer.status_code == 422, at


def test_a_clip_needs_the_recording(client: TestClient) -> None:
    place = f"/ui/calls/CLIP/moments/{PRICE}/clip"
    assert "Keep this clip" in client.get(place, headers=SCRIPT).text
    answer = client.post(place, data={"folder": "Best"}, headers=SCRIPT)
    assert (answer.status_code, "audio_deleted" in answer.text) == (410, True)
    assert services_of(client).clips.page(ClipFilter(), 10, None) == ((), None)


def test_nothing_is_changed_without_the_token_of_the_form(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pages(tmp_path_factory.mktemp("guarded"), api_keys=(KEY,)) as guarded:
        store_negotiation(guarded, "DEAL")
        token = signed_in(guarded)
        assert guarded.post(REVIEW, data={"verdict": "right"}).status_code == 403
        assert verdict_of(guarded) is None
        assert guarded.post(REVIEW, data={"verdict": "right", "csrf_token": token}).status_code == 303
