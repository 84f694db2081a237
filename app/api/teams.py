"""Teams: what the calls of their agents come to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.schemas.coaching import TeamTable
from app.schemas.coaching_models import TEAM_LIST, TEAM_TABLE, TeamList, WindowQuery
from app.schemas.requests import PARTY_PATTERN

router = APIRouter(prefix="/teams", tags=["agents"])

TeamIdPath = Annotated[str, Path(pattern=PARTY_PATTERN, examples=["emea"])]


@router.get(
    "",
    summary="List teams with what their calls come to",
    responses={
        200: {"content": {"application/json": {"example": TEAM_LIST}}},
        **problem_responses(401, 403, 422, 500, 503),
    },
)
def list_teams(services: ServicesDep, query: Annotated[WindowQuery, Query()]) -> TeamList:
    """Every `team_id` with analysed calls in the window, and `all` agents together, with or without a team.

    `figures` are medians over the agents of each agent's own figures; `calls` counts all of the team's.
    """
    window = services.coaching.window(query.date_from, query.date_to)
    everybody, *teams = services.coaching.teams(window)
    return TeamList(window=window, all=everybody, items=teams)


@router.get(
    "/{team_id}",
    summary="Read a team with its agents",
    responses={
        200: {"content": {"application/json": {"example": TEAM_TABLE}}},
        **problem_responses(401, 403, 404, 422, 500, 503),
    },
)
def read_team(
    team_id: TeamIdPath, services: ServicesDep, query: Annotated[WindowQuery, Query()]
) -> TeamTable:
    """The team's medians, the table of its agents, and its objections with what follows them."""
    window = services.coaching.window(query.date_from, query.date_to)
    return services.coaching.team(team_id, window)
