"""Agents and teams over HTTP, from calls that were taken in with an agent and a team."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from tests.api.clients import services_of, started
from tests.db.values import at, completed, stored

DATES = {"date_from": "2026-02-16T00:00:00Z", "date_to": "2026-03-08T23:59:59Z"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with started(tmp_path_factory.mktemp("agents")) as client:
        database = services_of(client).database
        day = 86_400
        completed(database, "A1", 0, ("objection",), agent_id="ana", team_id="north", started_at=at(0))
        completed(
            database, "A2", 1, ("objection",) * 3, agent_id="ana", team_id="north", started_at=at(7 * day)
        )
        completed(database, "B1", 2, (), agent_id="ben", team_id="north", started_at=at(day))
        completed(database, "C1", 3, ("empathy",), agent_id="cem", team_id="south", started_at=at(2 * day))
        completed(database, "N1", 4, (), agent_id=None, team_id="north", started_at=at(3 * day))
        stored(database, "W1", 5, agent_id="dia", team_id="west")
        yield client


def get(client: TestClient, path: str, **query: str) -> Any:
    answer: httpx.Response = client.get(path, params={**DATES, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_agents_are_listed_with_their_calls(client: TestClient) -> None:
    listed = get(client, "/agents")
    ana, ben, cem = listed["items"]
    assert (ana["agent_id"], ana["team_ids"], ana["last_call_id"]) == ("ana", ["north"], "A2")
    assert (ana["figures"]["calls"], ana["figures"]["moments_per_call"]["objection"]) == (2, 2.0)
    assert (ben["figures"]["calls"], ben["figures"]["moments_per_call"]["objection"]) == (1, 0.0)
    assert cem["last_held_at"] == "2026-02-23T09:30:15.123456Z"
    assert listed["window"] == DATES
    north = get(client, "/agents", team_id="north")["items"]
    assert [agent["agent_id"] for agent in north] == ["ana", "ben"]
    assert get(client, "/agents", date_from="2026-03-01T00:00:00Z")["items"] == []


def test_an_agent_over_time_beside_the_team(client: TestClient) -> None:
    course = get(client, "/agents/ana", team_id="north")
    assert (course["bucket"], course["team_agents"], course["last_call_id"]) == ("week", 2, "A2")
    # Two objections a call of Ana's, none of Ben's.
    assert course["team"]["moments_per_call"]["objection"] == 1.0
    weeks = {week["start"][:10]: week for week in course["periods"]}
    assert list(weeks) == ["2026-02-16", "2026-02-23", "2026-03-02"]
    first, second, third = weeks.values()
    assert (first["figures"]["calls"], first["team_agents"], first["team"]["calls"]) == (1, 2, 1)
    assert (second["figures"]["moments_per_call"]["objection"], second["team_agents"]) == (3.0, 1)
    assert (third["figures"]["calls"], third["team_agents"], third["team"]["patience_s"]) == (0, 0, None)
    (pattern,) = course["objections"]
    assert (pattern["subtype"], pattern["count"]) == (None, 4)
    assert sum(pattern["followed_by"].values()) == 4
    assert get(client, "/agents/ana")["team_agents"] == 3
    assert len(get(client, "/agents/ana", bucket="month")["periods"]) == 2


def test_teams_are_listed_beside_all_agents_and_read_with_their_agents(client: TestClient) -> None:
    listed = get(client, "/teams")
    assert [(team["team_id"], team["agents"], team["calls"]) for team in listed["items"]] == [
        ("north", 2, 4), ("south", 1, 1),
    ]  # fmt: skip
    assert (listed["all"]["team_id"], listed["all"]["agents"], listed["all"]["calls"]) == (None, 3, 5)
    table = get(client, "/teams/north")
    assert table["summary"] == listed["items"][0]
    assert [agent["agent_id"] for agent in table["agents"]] == ["ana", "ben"]
    assert [pattern["count"] for pattern in table["objections"]] == [4]


def test_who_has_calls_but_none_that_count_is_there_and_who_has_none_is_not(client: TestClient) -> None:
    waiting = get(client, "/agents/dia")
    assert (waiting["figures"]["calls"], waiting["last_call_id"]) == (0, None)
    assert get(client, "/teams/west")["agents"] == []
    for path, code in (("/agents/nobody", "agent_not_found"), ("/teams/nowhere", "team_not_found")):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


@pytest.mark.parametrize(
    "query",
    [
        {"date_from": "2026-03-09T00:00:00Z"}, {"date_from": "2016-03-09T00:00:00Z", "bucket": "day"},
        {"bucket": "year"}, {"team_id": "a b"}, {"agent": "x"},
    ],
)  # fmt: skip
def test_what_makes_no_window_is_refused(client: TestClient, query: dict[str, str]) -> None:
    answer = client.get("/agents/ana", params={**DATES, **query})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")


def test_a_team_comes_in_with_a_recording_and_alters_no_result(client: TestClient) -> None:
    audio = {"audio": ("a.wav", b"RIFF")}
    refused = client.post("/calls", files=audio, data={"team_id": "a b"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "team_id")
    shown = client.get("/calls", params={"team_id": "north"}).json()["items"]
    assert {call["call_id"] for call in shown} == {"A1", "A2", "B1", "N1"}
    assert all(call["team_id"] == "north" for call in shown)
    assert client.get("/calls/A1").json()["team_id"] == "north"
    assert "N1" in client.get("/calls.csv", params={"team_id": "north"}).text
