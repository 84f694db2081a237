"""Agents over time, beside their team."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.schemas.coaching import AgentCourse
from app.schemas.coaching_models import AGENT_COURSE, AGENT_LIST, AgentList, AgentQuery, AgentsQuery
from app.schemas.requests import PARTY_PATTERN

router = APIRouter(prefix="/agents", tags=["agents"])

AgentIdPath = Annotated[str, Path(pattern=PARTY_PATTERN, examples=["agent-7"])]


@router.get(
    "",
    summary="List agents with what their calls come to",
    responses={
        200: {"content": {"application/json": {"example": AGENT_LIST}}},
        **problem_responses(401, 403, 422, 500, 503),
    },
)
def list_agents(services: ServicesDep, query: Annotated[AgentsQuery, Query()]) -> AgentList:
    """Every `agent_id` with analysed calls in the window: how many, the latest, and the headline figures.

    `share_of_speech`, `patience_s`, `longest_monologue_s` and `sentiment_shift` are medians over the calls of
    which they can be told; `interruptions` (by the agent) and `moments_per_call` are means.
    """
    window = services.coaching.window(query.date_from, query.date_to)
    return AgentList(window=window, items=list(services.coaching.agents(window, query.team_id)))


@router.get(
    "/{agent_id}",
    summary="Read an agent over time, beside the team",
    responses={
        200: {"content": {"application/json": {"example": AGENT_COURSE}}},
        **problem_responses(401, 403, 404, 422, 500, 503),
    },
)
def read_agent(
    agent_id: AgentIdPath, services: ServicesDep, query: Annotated[AgentQuery, Query()]
) -> AgentCourse:
    """Figures of the whole window and of each `bucket` in it (UTC; weeks begin on Monday), each beside the
    team's: the median over the agents of the team, this one among them, of each agent's own figure. With
    `team_id` only calls of that team count, on both sides; without it the team is all agents.

    `objections`: by subtype, the first moment that starts within 60 s after each, or `nothing`, and the mean
    sentiment of the customer in the 60 s before and after, over those of which both are known.

    Without dates: the last 13 weeks, 28 days or 12 months. At most 400 buckets.
    """
    window = services.coaching.window(query.date_from, query.date_to, query.bucket)
    return services.coaching.agent(agent_id, window, query.bucket, query.team_id)
