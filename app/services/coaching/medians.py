"""What an agent's calls come to, and a team's agents: medians and means. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, median

from app.schemas.coaching import AgentFigures
from app.schemas.figures import CallFigures
from app.schemas.moment import MomentType, TimedMomentType

KINDS = tuple(kind.value for kind in (*MomentType, *TimedMomentType))


def of_agent(calls: Sequence[CallFigures]) -> AgentFigures:
    """The calls of one agent, put together as ``AgentFigures`` says."""
    found = dict.fromkeys(KINDS, 0)
    for call in calls:
        for kind, count in call.moments.items():
            found[kind] += count
    return AgentFigures(
        calls=len(calls),
        share_of_speech=_median(call.share_of_speech for call in calls),
        patience_s=_median(call.patience_s for call in calls),
        longest_monologue_s=_median(call.longest_monologue_s for call in calls),
        interruptions=_mean(call.agent_interruptions for call in calls),
        sentiment_shift=_median(call.sentiment_shift for call in calls),
        moments_per_call={kind: round(found[kind] / len(calls), 4) for kind in KINDS} if calls else {},
    )


def of_team(agents: Sequence[AgentFigures]) -> AgentFigures:
    """The median over agents of each of their numbers; those without calls are not among them."""
    active = [agent for agent in agents if agent.calls]
    if not active:
        return AgentFigures()
    return AgentFigures(
        calls=median(agent.calls for agent in active),
        share_of_speech=_median(agent.share_of_speech for agent in active),
        patience_s=_median(agent.patience_s for agent in active),
        longest_monologue_s=_median(agent.longest_monologue_s for agent in active),
        interruptions=_median(agent.interruptions for agent in active),
        sentiment_shift=_median(agent.sentiment_shift for agent in active),
        moments_per_call={
            kind: round(median(agent.moments_per_call[kind] for agent in active), 4) for kind in KINDS
        },
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 4) if known else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 4) if known else None
