"""`/ui/agents`: the agents of a team, or all, each beside the team's median."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from app.api.deps import ServicesDep
from app.schemas.coaching import AgentFigures, AgentSummary, TeamSummary
from app.schemas.coaching_models import AgentsQuery
from app.web.addresses import AGENTS, agent_address
from app.web.agents.figures import (
    KINDS,
    kinds_of_moments,
    objection_lines,
    plainly,
    rate,
    standings,
)
from app.web.agents.reels_page import reel_ask
from app.web.agents.window import kept, window_form
from app.web.contexts.agents import AgentLine, AgentsPage, MedianLine, MomentRate
from app.web.forms import HxTarget, address_of, asked_of, read_asked
from app.web.frame import FrameDep
from app.web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get(AGENTS)
def show_agents(
    request: Request,
    frame: FrameDep,
    services: ServicesDep,
    hx_target: HxTarget = None,
) -> Response:
    asked = asked_of(request)
    query = read_asked(asked, AgentsQuery)
    window = services.coaching.window(query.date_from, query.date_to)
    teams = services.coaching.teams(window)
    table = None if query.team_id is None else services.coaching.team(query.team_id, window)
    team, agents = (table.summary, table.agents) if table else (teams[0], services.coaching.agents(window))
    kinds = kinds_of_moments(agent.figures for agent in agents)
    page = AgentsPage(
        frame=frame,
        window=window_form(AGENTS, asked, window, teams),
        team_id=query.team_id,
        columns=tuple(kind.head for kind in KINDS),
        median=_median(team, kinds, agents),
        agents=_lines(agents, team.figures, kinds, kept(asked)),
        kinds=kinds,
        objections=objection_lines(table.objections) if table else (),
        unnamed_calls=team.calls - sum(round(agent.figures.calls) for agent in agents),
        has_calls=bool(team.calls),
        reel=reel_ask(asked),
    )
    return render(page, address=address_of(AGENTS, asked) if hx_target == "agents" else None)


def _median(team: TeamSummary, kinds: Sequence[str], agents: Sequence[AgentSummary]) -> MedianLine:
    return MedianLine(
        agents=team.agents,
        calls=team.calls,
        share_of_speech=team.figures.share_of_speech,
        figures=tuple(plainly(kind, team.figures) for kind in KINDS),
        rates=_rates(team.figures, kinds, _highest(agents, kinds)),
    )


def _lines(
    agents: Sequence[AgentSummary], team: AgentFigures, kinds: Sequence[str], asked: dict[str, str]
) -> tuple[AgentLine, ...]:
    everybody = [agent.figures for agent in agents]
    by_kind = [standings(kind, everybody, team) for kind in KINDS]
    highest = _highest(agents, kinds)
    return tuple(
        AgentLine(
            agent_id=agent.agent_id,
            address=address_of(agent_address(agent.agent_id), asked),
            team_ids=agent.team_ids,
            calls=round(agent.figures.calls),
            last_held_at=agent.last_held_at,
            share_of_speech=agent.figures.share_of_speech,
            figures=tuple(of_all[place] for of_all in by_kind),
            rates=_rates(agent.figures, kinds, highest),
        )
        for place, agent in enumerate(agents)
    )


def _highest(agents: Sequence[AgentSummary], kinds: Sequence[str]) -> dict[str, float]:
    return {kind: max(agent.figures.moments_per_call.get(kind, 0.0) for agent in agents) for kind in kinds}


def _rates(figures: AgentFigures, kinds: Sequence[str], highest: dict[str, float]) -> tuple[MomentRate, ...]:
    each = figures.moments_per_call
    return tuple(
        MomentRate(kind, rate(each.get(kind, 0.0)), min(each.get(kind, 0.0) / highest[kind], 1.0))
        for kind in kinds
    )
