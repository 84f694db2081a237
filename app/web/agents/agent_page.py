"""`/ui/agents/{agent_id}`: one agent over time, beside the team's median."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from app.api.agents import AgentIdPath
from app.api.deps import ServicesDep
from app.schemas.coaching import AgentCourse, AgentFigures, Bucket, Period
from app.schemas.coaching_models import AgentQuery
from app.web.addresses import AGENTS, HOME, agent_address
from app.web.agents.figures import CALLS, KINDS, Kind, beside, kinds_of_moments, objection_lines, rate
from app.web.agents.reels_page import reel_ask
from app.web.agents.window import kept, window_form
from app.web.contexts.agent import AgentPage, FigureCourse, MomentCourse, PeriodLine, PeriodPart
from app.web.contexts.base import Choice
from app.web.formatting import runs
from app.web.forms import HxTarget, address_of, asked_of, read_asked
from app.web.frame import FrameDep
from app.web.rendering import render

COURSES = (*KINDS, CALLS)
WIDTH, HEIGHT, MARGIN, DASH = 160, 28, 3, 1.5
"""Of the course of a type of moment, in pixels."""

router = APIRouter(include_in_schema=False)


@router.get(AGENTS + "/{agent_id}")
def show_agent(
    agent_id: AgentIdPath,
    request: Request,
    frame: FrameDep,
    services: ServicesDep,
    hx_target: HxTarget = None,
) -> Response:
    asked = asked_of(request)
    query = read_asked(asked, AgentQuery)
    window = services.coaching.window(query.date_from, query.date_to, query.bucket)
    course = services.coaching.agent(agent_id, window, query.bucket, query.team_id)
    path = agent_address(agent_id)
    page = AgentPage(
        frame=frame,
        agent_id=agent_id,
        window=window_form(path, asked, window, services.coaching.teams(window)),
        team_id=query.team_id,
        buckets=tuple(Choice(one, one.capitalize(), one is query.bucket) for one in Bucket),
        calls=round(course.figures.calls),
        has_calls=bool(course.figures.calls),
        last_call_id=course.last_call_id,
        last_held_at=course.last_held_at,
        calls_address=address_of(HOME, {"agent_id": agent_id, "team_id": query.team_id}),
        team_address=address_of(AGENTS, kept(asked)),
        team_agents=course.team_agents,
        figures=tuple(_figure(kind, course) for kind in COURSES),
        periods=tuple(_period(period, query.bucket) for period in course.periods),
        moments=tuple(_moments(kind, course) for kind in kinds_of_moments([course.figures, course.team])),
        objections=objection_lines(course.objections),
        reel=reel_ask(asked, agent_id),
    )
    return render(page, address=address_of(path, asked) if hx_target == "agent" else None)


def _figure(kind: Kind, course: AgentCourse) -> FigureCourse:
    team = kind.of(course.team) if course.team_agents > 1 else None
    (standing,) = beside([kind.of(course.figures)], team, kind.shown)
    guide = kind.quoted
    return FigureCourse(
        head=kind.head,
        unit=kind.unit,
        standing=standing,
        team=kind.shown(team),
        least=guide.least if guide else None,
        most=guide.most if guide else None,
    )


def _period(period: Period, bucket: Bucket) -> PeriodLine:
    start = period.start
    named = f"{start:%b %Y}" if bucket is Bucket.MONTH else f"{start.day} {start:%b}"
    parts = tuple(_part(kind, period.figures, period.team) for kind in COURSES)
    return PeriodLine(start, named, parts)


def _part(kind: Kind, own: AgentFigures, team: AgentFigures) -> PeriodPart:
    value, median = kind.of(own), kind.of(team)
    return PeriodPart(kind.key, kind.shown(value), _plain(value), kind.shown(median), _plain(median))


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _moments(kind: str, course: AgentCourse) -> MomentCourse:
    own = [_rate_of(period.figures, kind) for period in course.periods]
    team = [_rate_of(period.team, kind) for period in course.periods]
    most = max([value for value in (*own, *team) if value is not None], default=0.0) or 1.0
    median = _rate_of(course.team, kind) if course.team_agents > 1 else None
    (standing,) = beside([_rate_of(course.figures, kind)], median, _written)
    return MomentCourse(
        kind=kind,
        standing=standing,
        team=_written(median),
        lines=_lines(own, most),
        team_lines=_lines(team, most),
        words=_words(own),
    )


def _rate_of(figures: AgentFigures, kind: str) -> float | None:
    """None where there were no calls."""
    return figures.moments_per_call.get(kind)


def _written(value: float | None) -> str:
    return "–" if value is None else rate(value)


def _lines(values: Sequence[float | None], most: float) -> tuple[str, ...]:
    """Points of polylines; a period between two without calls is a short dash."""
    step = WIDTH / max(len(values) - 1, 1)
    places = [
        None
        if value is None
        else (round(at * step, 1), round(HEIGHT - MARGIN - value / most * (HEIGHT - 2 * MARGIN), 1), value)
        for at, value in enumerate(values)
    ]
    return tuple(" ".join(_points([(x, y) for x, y, _ in run])) for run in runs(places))


def _points(run: list[tuple[float, float]]) -> list[str]:
    if len(run) == 1:
        ((x, y),) = run
        run = [(max(x - DASH, 0), y), (min(x + DASH, WIDTH), y)]
    return [f"{x:g},{y:g}" for x, y in run]


def _words(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "no calls"
    return f"{rate(known[0])} at first, {rate(max(known))} at most, {rate(known[-1])} at last"
