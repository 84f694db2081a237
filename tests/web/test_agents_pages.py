"""The pages of teams and agents: figures beside the team's median, what is narrowed to, the empty states."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.db.figure_models import CallFigureRow
from app.db.models import table_of
from tests.db.values import T0, completed
from tests.web.clients import SCRIPT, Elements, pages, services_of

WINDOW = "date_from=2026-02-01&date_to=2026-02-28"
CALLS = (
    ("C-1", "ann", "emea", 0.40, ("objection", "empathy")),
    ("C-2", "ann", "emea", 0.44, ("objection",)),
    ("C-3", "bob", "emea", 0.70, ()),
    ("C-4", "<i>cy", "dach", 0.52, ("objection",)),
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Two teams, three agents, one of whom has a name that is no id."""
    figures = table_of(CallFigureRow)
    with pages(tmp_path_factory.mktemp("agents")) as made:
        database = services_of(made).database
        for number, (call_id, agent_id, team_id, share, kinds) in enumerate(CALLS):
            completed(database, call_id, number, kinds, agent_id=agent_id, team_id=team_id, started_at=T0)
            with database.session() as session:
                session.execute(
                    figures.update()
                    .where(figures.c.call_id == call_id)
                    .values(share_of_speech=share, patience_s=0.8, longest_monologue_s=95.0)
                )
        yield made


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", Elements(html).text)


def row_of(html: str, agent_id: str) -> str:
    (found,) = [part for part in html.split("<tr ") if f'line-link" href="/ui/agents/{agent_id}' in part]
    return text_of("<tr " + found)


def test_each_agent_stands_beside_the_median_of_the_team(client: TestClient) -> None:
    html = client.get(f"/ui/agents?team_id=emea&{WINDOW}").text
    assert "Team emea" in text_of(html)
    assert "42 %, below the team's median of 56 %" in row_of(html, "ann")
    assert "70 %, above the team's median of 56 %" in row_of(html, "bob")
    assert "0.80 s, as the team's median" in row_of(html, "ann")
    assert "1:35" in row_of(html, "bob")
    assert "/ui/agents/%3Ci%3Ecy" not in html


def test_all_agents_and_the_moments_of_their_calls(client: TestClient) -> None:
    html = client.get(f"/ui/agents?{WINDOW}").text
    assert "Median of all" in text_of(html)
    assert f'href="/ui/agents/%3Ci%3Ecy?{WINDOW.replace("&", "&amp;")}"' in html
    assert "<i>" not in html
    (heat,) = [part for part in html.split("<section") if "Moments a call" in part]
    assert re.findall(r"heat-kind\"><span class=\"moment moment--(\w+)", heat) == ["objection", "empathy"]
    assert "Gong Labs 2016" in text_of(html)


def test_a_script_gets_the_same_page_and_the_address_to_show(client: TestClient) -> None:
    headers = {**SCRIPT, "HX-Target": "agents"}
    answer = client.get(f"/ui/agents?team_id=&{WINDOW}", headers=headers)
    assert answer.headers["hx-push-url"] == f"/ui/agents?{WINDOW}"
    assert 'id="agents"' in answer.text


def test_a_window_without_calls_says_how_to_fill_it(client: TestClient) -> None:
    html = client.get("/ui/agents?date_from=2020-01-01&date_to=2020-01-31").text
    assert "No calls in this window" in html
    assert 'href="/ui/upload"' in html


@pytest.mark.parametrize(
    "query", ["date_from=soon", "team_id=a b", "date_from=2026-03-01&date_to=2026-02-01"]
)
def test_what_cannot_be_asked_for_is_refused(client: TestClient, query: str) -> None:
    answer = client.get(f"/ui/agents?{query}")
    assert answer.status_code == 422
    assert "validation_error" in answer.text


def test_an_agent_over_time_in_numbers_that_charts_read(client: TestClient) -> None:
    html = client.get(f"/ui/agents/ann?bucket=month&{WINDOW}").text
    assert 'data-chart="share_of_speech" data-unit="share" data-least="0.43"' in html
    (row,) = [part for part in html.split("<tr") if 'data-start="2026-02-01T00:00:00Z"' in part]
    assert 'data-own="share_of_speech" data-value="0.4200">42 %' in row
    assert 'data-team="share_of_speech" data-value="0.5200">52 %' in row
    assert 'href="/?agent_id=ann&amp;moment_type=objection"' in html
    assert Elements(html).inline == []


def test_an_agent_without_calls_in_the_window_and_one_that_is_none(client: TestClient) -> None:
    html = client.get("/ui/agents/bob?date_from=2020-01-01&date_to=2020-01-31").text
    assert "No calls in this window" in html
    answer = client.get("/ui/agents/nobody")
    assert answer.status_code == 404
    assert "agent_not_found" in answer.text
