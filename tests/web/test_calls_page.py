"""The list of calls: lines, filters in the address, pages, what is shown of one call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from app.db.models import CallRow, table_of
from app.db.repositories.results import ResultRepository
from app.schemas.analysis import Analysis, CallStatus
from tests.analyses import two_segments
from tests.db.values import T0, at, plain_analysis, stored
from tests.web.clients import KEY, SCRIPT, Elements, pages, services_of, signed_in

CALLS = 35
HOSTILE = "\"><script>alert(1)</script>'<img src=x onerror=alert(1)>"


def store(
    client: TestClient, call_id: str, seconds: float, analysis: Analysis | None = None, **values: Any
) -> None:
    """A call that ended, with its result; ``values`` go into its row."""
    database = services_of(client).database
    row = table_of(CallRow)
    started_at = values.pop("started_at", None)
    agent_id = values.pop("agent_id", "emily")
    stored(database, call_id, seconds, agent_id=agent_id, started_at=started_at, audio_key=uuid4().hex)
    with database.session() as session:
        if analysis is not None:
            ResultRepository(session).add(call_id, analysis, at(seconds))
        ended = {"status": CallStatus.COMPLETED, "queue": None, "completed_at": at(seconds), **values}
        session.execute(row.update().where(row.c.call_id == call_id).values(**ended))


FAILURE = {
    "status": CallStatus.FAILED,
    "failure_code": "stt_failed",
    "failure_stage": "stt",
    "failure_detail": HOSTILE,
    "failure_status": 500,
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """35 calls: the newest in work, one failed, one long with four kinds of moments, one held."""
    with pages(tmp_path_factory.mktemp("calls")) as made:
        for number in range(CALLS - 4):
            store(made, f"C-{number:02}", number, duration_s=60 * number)
        kinds = ("objection", "objection", "buying_signal", "empathy", "pressure", "pressure", "pressure")
        store(made, "LONG", 100, plain_analysis("LONG", kinds), duration_s=3723.4, agent_id="daniel")
        store(made, "HELD", 101, legal_hold=True, started_at=T0 - timedelta(days=3))
        store(made, "FAILED", 102, **FAILURE)
        working = {"queue": "transcribe", "owner": "a/1/b", "stage": "transcribe", "percent": 41.6}
        store(made, "WORK", 103, status=CallStatus.PROCESSING, completed_at=None, **working)
        yield made


def lines_of(html: str) -> list[str]:
    return re.findall(r'id="open-([\w-]+)"', html)


def line_of(html: str, call_id: str) -> str:
    (found,) = [part for part in html.split("<tbody ") if f'id="open-{call_id}"' in part]
    return found


def test_the_newest_calls_come_first_and_the_older_ones_behind_a_link(client: TestClient) -> None:
    first = client.get("/")
    assert lines_of(first.text)[:4] == ["WORK", "FAILED", "HELD", "LONG"]
    assert len(lines_of(first.text)) == 30
    assert "Newest calls" not in first.text
    (older,) = [link["href"] for link in Elements(first.text).all("a") if link.get("rel") == "next"]
    second = client.get(older)
    assert len(lines_of(second.text)) == CALLS - 30
    assert "Older calls" not in second.text
    assert "Newest calls" in second.text


def test_a_line_says_what_a_coach_looks_for(client: TestClient) -> None:
    html = line_of(client.get("/").text, "LONG")
    text = re.sub(r"\s+", " ", Elements("<tbody " + html).text)
    assert "1:02:03" in text
    assert "daniel" in text
    assert "Done" in text
    assert re.findall(r"moment--(\w+)", html) == ["pressure", "objection", "buying_signal"]
    assert "Pressure 3" in text
    assert "+1 more" in text
    assert 'href="/ui/calls/LONG"' in html
    assert "hx-trigger" not in html


def test_the_time_of_a_call_is_when_it_was_held(client: TestClient) -> None:
    assert 'datetime="2026-02-18T09:30:15Z"' in line_of(client.get("/").text, "HELD")
    assert 'datetime="2026-02-21T09:31:55Z"' in line_of(client.get("/").text, "LONG")


def test_a_line_asks_for_itself_while_its_work_goes_on(client: TestClient) -> None:
    html = line_of(client.get("/").text, "WORK")
    assert 'hx-get="/ui/calls/WORK/line" hx-trigger="every 2s"' in html
    assert '<progress max="100" value="42"' in html
    assert "Speech to text" in html
    assert 'action="/ui/calls/WORK/cancel"' in html
    alone = client.get("/ui/calls/WORK/line", headers=SCRIPT)
    assert lines_of(alone.text) == ["WORK"]
    assert "<html" not in alone.text
    assert "hx-trigger" not in client.get("/ui/calls/LONG/line", headers=SCRIPT).text


def test_the_line_of_a_deleted_call_is_gone(client: TestClient) -> None:
    answer = client.get("/ui/calls/NEVER/line", headers=SCRIPT)
    assert (answer.status_code, answer.text) == (200, "")


def test_a_failed_call_says_why_and_offers_to_try_again(client: TestClient) -> None:
    html = line_of(client.get("/").text, "FAILED")
    assert "stt_failed" not in html
    assert 'action="/ui/calls/FAILED/rerun"' in html
    assert "/ui/calls/FAILED/delete?next=" in html
    assert "<script>" not in html
    assert HOSTILE in Elements("<tbody " + html).text


def test_filters_stand_in_the_address_and_in_the_form(client: TestClient) -> None:
    answer = client.get(
        "/?status=failed&agent_id=emily&customer_id=&q=&date_to=2026-02-21&moment_type=&direction=inbound"
    )
    assert lines_of(answer.text) == ["FAILED"]
    elements = Elements(answer.text)
    assert [option["value"] for option in elements.all("option") if "selected" in option] == [
        "failed",
        "inbound",
    ]
    values = {field.get("id"): field.get("value") for field in elements.all("input")}
    assert (values["agent_id"], values["date_to"]) == ("emily", "2026-02-21")
    assert "open" in elements.all("details")[0]
    assert lines_of(client.get("/?moment_type=pressure").text) == ["LONG"]
    assert lines_of(client.get("/?date_to=2026-02-20").text) == []


def test_the_words_that_were_searched_for_are_marked(client: TestClient) -> None:
    answer = client.get("/", params={"q": 'too "expens'})
    assert lines_of(answer.text) == ["LONG"]
    html = line_of(answer.text, "LONG")
    assert "It is <mark>too</mark> <mark>expensive</mark>." in html
    assert re.search(r'href="/ui/calls/LONG#t=[\d.]+"', html)
    assert lines_of(client.get("/?q=cheap").text) == []
    assert Elements(answer.text).all("input")[0]["value"] == 'too "expens'


def test_how_a_call_went_is_in_its_line(client: TestClient) -> None:
    store(client, "FELT", -1, two_segments(), duration_s=90)
    html = line_of(client.get("/?agent_id=emily&min_duration_s=90&max_duration_s=90").text, "FELT")
    assert 'aria-label="Sentiment: positive at first, negative at the end"' in html
    services_of(client).calls.delete("FELT")


def test_pages_keep_the_filters(client: TestClient) -> None:
    answer = client.get("/?agent_id=emily")
    (older,) = [link["href"] for link in Elements(answer.text).all("a") if link.get("rel") == "next"]
    assert older.startswith("/?agent_id=emily&cursor=")
    second = client.get(older)
    assert "LONG" not in lines_of(answer.text) + lines_of(second.text)
    assert 'href="/?agent_id=emily"' in second.text


def test_a_script_gets_the_table_and_the_address_to_show(client: TestClient) -> None:
    headers = {**SCRIPT, "HX-Target": "calls", "HX-Current-URL": "http://localhost/"}
    answer = client.get("/?q=&status=failed&moment_type=", headers=headers)
    assert answer.headers["hx-push-url"] == "/?status=failed"
    assert answer.text.lstrip().startswith('<div id="calls"')
    again = client.get(
        "/?status=failed", headers={**headers, "HX-Current-URL": "http://localhost/?status=failed"}
    )
    assert "hx-push-url" not in again.headers


@pytest.mark.parametrize(
    "query", ["status=bad", "moment_type=bad", "agent_id=a b", "date_from=soon", "cursor=!", "other=1"]
)
def test_what_cannot_be_asked_for_is_said(client: TestClient, query: str) -> None:
    answer = client.get(f"/?{query}")
    assert answer.status_code == 422
    assert query.partition("=")[0] in Elements(answer.text).text
    assert lines_of(answer.text) == []


def test_nothing_found_is_no_empty_system(client: TestClient) -> None:
    answer = client.get("/?agent_id=nobody")
    assert "No call is like this" in answer.text
    assert "Add the first call" not in answer.text


def test_what_is_asked_for_is_escaped(client: TestClient) -> None:
    answer = client.get("/", params={"agent_id": HOSTILE})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert Elements(answer.text).inline == []


def test_an_empty_system_shows_how_to_add_the_first_call(tmp_path: Path) -> None:
    with pages(tmp_path) as client:
        text = client.get("/").text
        assert "Add the first call" in text
        assert "curl http://localhost/calls -F audio=@call.mp3 -F agent_id=emily" in Elements(text).text
        assert "Bearer" not in text
        assert 'action="/ui/demo"' in text
        assert 'role="search"' not in text


def test_where_keys_are_set_the_line_for_a_shell_says_so(keyed: TestClient) -> None:
    signed_in(keyed)
    text = Elements(keyed.get("/").text).text
    assert "curl http://localhost/calls -H 'Authorization: Bearer YOUR-KEY' -F audio=@call.mp3" in text
    assert KEY not in text
