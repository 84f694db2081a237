"""Agents and teams in numbers: what their calls of a time come to, period by period, beside one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from app.core.clock import Clock, utc_now
from app.core.exceptions import AgentNotFound, TeamNotFound
from app.db.repositories.figures import FigureRepository
from app.db.session import Database
from app.schemas.coaching import (
    AgentCourse,
    AgentFigures,
    AgentSummary,
    Bucket,
    Period,
    TeamSummary,
    TeamTable,
    Window,
)
from app.schemas.figures import CallFigures, MeasuredCall
from app.services.coaching.medians import of_agent, of_team
from app.services.coaching.objections import patterns_of
from app.services.coaching.periods import periods, start_of, window_of

Calls = Sequence[MeasuredCall]


class CoachingService:
    """Reads calls that have a result, each at the time at which it was held. Thread-safe.

    Where no window is asked for, it is the last 13 weeks, 28 days or 12 months, that of today included.
    Every method raises ValidationFailed for one that ends before it begins or is too long.
    """

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def window(
        self,
        date_from: datetime | None = None,
        date_to: datetime | None = None,
        bucket: Bucket = Bucket.WEEK,
    ) -> Window:
        """What the other methods look at when they are asked for these dates."""
        return window_of(date_from, date_to, bucket, self._clock())

    def agents(self, window: Window, team_id: str | None = None) -> tuple[AgentSummary, ...]:
        """Agents with calls in the window, in order of their ids; only calls of the team that is named."""
        return _summaries(self._read(window, team_id))

    def agent(
        self, agent_id: str, window: Window, bucket: Bucket = Bucket.WEEK, team_id: str | None = None
    ) -> AgentCourse:
        """One agent over time, beside the median of the team's agents, or of all where no team is named.

        Raises AgentNotFound for one who has no calls at all.
        """
        found = self._database.read(
            lambda session: FigureRepository(session).beside_team(agent_id, window, team_id)
        )
        if found is None:
            raise AgentNotFound(f"there is no call of an agent {agent_id}")
        calls, objections = found
        everybody = _by_agent(calls)
        own = everybody.get(agent_id, ())
        whole = [of_agent(_figures(calls)) for calls in everybody.values()]
        return AgentCourse(
            agent_id=agent_id,
            window=window,
            bucket=bucket,
            last_call_id=own[-1].call_id if own else None,
            last_held_at=own[-1].held_at if own else None,
            figures=of_agent(_figures(own)),
            team=of_team(whole),
            team_agents=len(whole),
            periods=tuple(_course(agent_id, everybody, bucket, window)),
            objections=patterns_of(objections),
        )

    def teams(self, window: Window) -> tuple[TeamSummary, ...]:
        """All agents together first (``team_id`` None), then each team with calls, in order of their ids."""
        calls = self._read(window)
        named = sorted({call.team_id for call in calls if call.team_id is not None})
        teams: dict[str, list[MeasuredCall]] = {team_id: [] for team_id in named}
        for call in calls:
            if call.team_id is not None:
                teams[call.team_id].append(call)
        return (_team(None, calls), *(_team(team_id, those) for team_id, those in teams.items()))

    def team(self, team_id: str, window: Window) -> TeamTable:
        """One team with its agents. Raises TeamNotFound for one that has no calls at all."""
        found = self._database.read(lambda session: FigureRepository(session).of_team(team_id, window))
        if found is None:
            raise TeamNotFound(f"there is no call of a team {team_id}")
        calls, objections = found
        return TeamTable(window, _team(team_id, calls), _summaries(calls), patterns_of(objections))

    def _read(self, window: Window, team_id: str | None = None) -> tuple[MeasuredCall, ...]:
        return self._database.read(lambda session: FigureRepository(session).read(window, team_id))


def _by_agent(calls: Calls) -> dict[str, list[MeasuredCall]]:
    """Calls that name an agent, in order of time for each; agents in order of their ids."""
    named = sorted({call.agent_id for call in calls if call.agent_id is not None})
    found: dict[str, list[MeasuredCall]] = {agent_id: [] for agent_id in named}
    for call in calls:
        if call.agent_id is not None:
            found[call.agent_id].append(call)
    return found


def _figures(calls: Iterable[MeasuredCall]) -> list[CallFigures]:
    return [call.figures for call in calls]


def _summaries(calls: Calls) -> tuple[AgentSummary, ...]:
    return tuple(
        AgentSummary(
            agent_id=agent_id,
            team_ids=tuple(sorted({call.team_id for call in own if call.team_id is not None})),
            last_call_id=own[-1].call_id,
            last_held_at=own[-1].held_at,
            figures=of_agent(_figures(own)),
        )
        for agent_id, own in _by_agent(calls).items()
    )


def _team(team_id: str | None, calls: Calls) -> TeamSummary:
    agents = [of_agent(_figures(own)) for own in _by_agent(calls).values()]
    last = calls[-1].held_at if calls else None
    return TeamSummary(team_id, len(agents), len(calls), last, of_team(agents))


def _course(
    agent_id: str, everybody: Mapping[str, Calls], bucket: Bucket, window: Window
) -> Iterable[Period]:
    figures: dict[datetime, dict[str, AgentFigures]] = {}
    for name, calls in everybody.items():
        # In order of time already, as they were read.
        for start, those in groupby(calls, key=lambda call: start_of(bucket, call.held_at)):
            figures.setdefault(start, {})[name] = of_agent(_figures(those))
    for start, end in periods(bucket, window):
        found = figures.get(start, {})
        own = found.get(agent_id, AgentFigures())
        yield Period(start, end, own, of_team(list(found.values())), len(found))
