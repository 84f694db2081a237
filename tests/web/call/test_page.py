"""The page of a call as it is served: its parts, its states, and that nothing of it runs or styles inline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.db.models import CallRow, table_of
from app.db.repositories.retention import RetentionRepository
from app.schemas.analysis import CallStatus
from tests.db.values import T0, at, stored
from tests.web.call.negotiation import PRICE, SILENCE, negotiation, store_negotiation
from tests.web.clients import SCRIPT, Elements, pages, services_of

HOSTILE = "<img/src=x/onerror=alert(1)>"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pages(tmp_path_factory.mktemp("call")) as made:
        store_negotiation(made, "DEAL")
        yield made


def page(client: TestClient, call_id: str) -> str:
    answer = client.get(f"/ui/calls/{call_id}")
    assert answer.status_code == 200
    return answer.text


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", Elements(html).text)


def test_the_head_says_which_call_it_is_and_who_heard_it(client: TestClient) -> None:
    text = text_of(page(client, "DEAL"))
    for told in ("DEAL", "agent-1", "customer-1", "0:40", "Lesser engine", "scripted:x", "degraded_engine"):
        assert told in text


def test_what_can_be_exported_is_linked(client: TestClient) -> None:
    links = {link.get("href", "") for link in Elements(page(client, "DEAL")).all("a")}
    formats = {f"/calls/DEAL/transcript?format={one}" for one in ("txt", "srt", "vtt", "json")}
    assert formats | {"/calls/DEAL", "/calls/DEAL?format=aws", "/calls/DEAL/audio"} <= links


def test_each_segment_has_its_words_their_times_and_the_evidence_in_them(client: TestClient) -> None:
    html = page(client, "DEAL")
    (segment,) = re.findall(r'<li class="segment[^>]*id="s1".*?</li>', html, re.DOTALL)
    assert 'data-s="600" data-e="940"' in segment
    assert 'data-w="0.3 50.4 100.2 150.3 200.9 250.3 300.2"' in segment
    assert f'data-m="{PRICE}">too expensive</mark> for us' in segment
    assert "Negative" in segment
    assert "party--customer" in segment
    assert 'href="/ui/calls/DEAL/segments/1"' in segment


def test_the_name_of_a_speaker_stands_where_it_changes(client: TestClient) -> None:
    assert re.findall(r'segment-who">(\w+)<', page(client, "DEAL")) == [
        "Agent",
        "Customer",
        "Agent",
        "Customer",
    ]


def test_moments_say_what_was_found_where_by_whom_and_what_to_do(client: TestClient) -> None:
    html = page(client, "DEAL")
    (card,) = re.findall(rf'<li class="moment-card[^>]*id="{PRICE}".*?</li>', html, re.DOTALL)
    text = text_of(card)
    for told in ("0:07", "Objection", "Price", "80 %", "too expensive", "A reason.", "Do this next."):
        assert told in text
    assert "objection-rule" in text
    assert "default, revision 01234567" in text
    assert f'hx-post="/ui/calls/DEAL/moments/{PRICE}/review"' in card
    assert re.findall(r'class="moment-card[^>]* id="(\w+)"', html) == [PRICE, SILENCE]


def test_without_a_script_the_lanes_show_who_speaks_and_where_moments_are(client: TestClient) -> None:
    html = page(client, "DEAL")
    assert 'data-duration="40.0"' in html
    assert re.findall(r'class="silence" x="([\d.]+)%" width="([\d.]+)%"', html)[0] == ("23.5", "31.5")
    assert f'href="#{PRICE}"' in html
    assert '<audio class="bare-audio without-script" id="audio" controls' in html


def test_numbers_stand_beside_what_people_quote(client: TestClient) -> None:
    html = page(client, "DEAL")
    (share,) = re.findall(r'id="figure-share_of_speech".*?</div>', html, re.DOTALL)
    text = text_of(share)
    assert "43 %" in text
    assert "Gong Labs 2016" in text
    assert "it is no pass mark" in text_of(html)
    assert "Agent: compared with what?" in text_of(html)
    assert "0:12 dead air" in text_of(html)


def test_sentiment_has_a_table_for_those_who_do_not_see_the_curve(client: TestClient) -> None:
    html = page(client, "DEAL")
    (table,) = re.findall(r'aria-label="Sentiment by quarter".*?</table>', html, re.DOTALL)
    rows = re.findall(r'<th scope="row">([^<]+)</th>(.*?)</tr>', table, re.DOTALL)
    assert [(name, Elements(cells).text) for name, cells in rows][:2] == [
        ("Agent", "+4.2–––+4.2–"),
        ("Customer", "−3.8–+4.2–−0.4–"),
    ]


def test_nothing_is_inline_and_what_was_said_cannot_be_markup(client: TestClient) -> None:
    words = f"but that <b>too</b> expensive{HOSTILE} for us"
    store_negotiation(client, "HOSTILE", negotiation(words))
    html = page(client, "HOSTILE")
    elements = Elements(html)
    assert elements.inline == []
    assert elements.all("img") == elements.all("b") == []
    assert HOSTILE in elements.text


def test_a_call_that_nobody_speaks_in_says_so(client: TestClient) -> None:
    made = negotiation()
    silent = replace(made, segments=(), speakers=(), call_moments=(), metrics=None)
    store_negotiation(client, "SILENT", silent)
    text = text_of(page(client, "SILENT"))
    assert "Nobody speaks in this recording." in text
    assert "No moment was found" in text


def test_a_call_whose_recording_went_is_still_read(client: TestClient) -> None:
    store_negotiation(client, "MUTE", audio_key=None, audio_deleted_at=T0)
    html = page(client, "MUTE")
    assert "The recording was deleted" in html
    assert "<audio" not in html
    assert "too expensive" in html
    assert "/calls/MUTE/audio" not in html


def test_a_call_whose_words_went_keeps_its_numbers(client: TestClient) -> None:
    store_negotiation(client, "WORDLESS", created_at=at(-86400))
    database = services_of(client).database
    with database.session() as session:
        assert RetentionRepository(session).delete_texts(T0 - timedelta(hours=1), T0, 10) == ("WORDLESS",)
    html = page(client, "WORDLESS")
    assert "The words of this call were deleted" in html
    assert "expensive" not in html
    assert 'id="figure-share_of_speech"' in html
    assert "/review" not in html
    assert "/transcript?format" not in html


def test_a_failed_call_says_why_and_offers_to_try_again(client: TestClient) -> None:
    failure = {"failure_code": "stt_failed", "failure_stage": "stt", "failure_detail": "it gave up"}
    made = services_of(client)
    stored(made.database, "FAILED")
    with made.database.session() as session:
        calls = table_of(CallRow)
        values = {"status": CallStatus.FAILED, "queue": None, "failure_status": 500, **failure}
        session.execute(calls.update().where(calls.c.call_id == "FAILED").values(**values))
    html = page(client, "FAILED")
    form = 'action="/ui/calls/FAILED/rerun"'
    for told in ("The analysis failed", "It gave up.", "Speech to text", "stt_failed", form):
        assert told in html


def test_a_call_in_work_shows_how_far_it_is_and_follows(client: TestClient) -> None:
    stored(services_of(client).database, "WAITS")
    html = page(client, "WAITS")
    assert "Waits for its turn" in html
    assert 'hx-get="/ui/calls/WAITS/work?has_result=false" hx-trigger="every 1s"' in html
    part = client.get("/ui/calls/WAITS/work", headers=SCRIPT)
    assert "Waits for its turn" in part.text
    assert "<html" not in part.text


def test_when_the_work_ends_the_page_is_shown_anew_unless_a_result_is_read(client: TestClient) -> None:
    ended = client.get("/ui/calls/DEAL/work", headers=SCRIPT)
    assert (ended.text, ended.headers["hx-redirect"]) == ("", "/ui/calls/DEAL")
    read = client.get("/ui/calls/DEAL/work?has_result=true", headers=SCRIPT)
    assert "Show what is new" in read.text
    assert client.get("/ui/calls/NEVER/work", headers=SCRIPT).headers["hx-redirect"] == "/"


def test_there_is_no_page_of_a_call_that_is_not_there(client: TestClient) -> None:
    answer = client.get("/ui/calls/NEVER")
    assert answer.status_code == 404
    assert "There is no such call" in answer.text
