"""Figures of agents as pages show them: what they are called, how they are written, how they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.schemas.coaching import AgentFigures, ObjectionPattern
from app.schemas.metrics import Guide
from app.services.metrics.guides import GUIDES
from app.web.contexts.figures import FigureHead, ObjectionLine, Standing, WhatFollows
from app.web.formatting import clock, percent, score

NOTHING_KNOWN = "–"
_SAME = 1e-9


@dataclass(frozen=True)
class Kind:
    """A figure by its name in ``AgentFigures``; ``guide``: the name that a guide gives it."""

    key: str
    label: str
    meaning: str
    unit: str
    guide: str | None = None

    def of(self, figures: AgentFigures) -> float | None:
        value: float | None = getattr(figures, self.key)
        return value

    def shown(self, value: float | None) -> str:
        return NOTHING_KNOWN if value is None else _WRITTEN[self.unit](value)

    @property
    def quoted(self) -> Guide | None:
        return next((guide for guide in GUIDES if guide.metric == self.guide), None)

    @property
    def head(self) -> FigureHead:
        guide = None if self.quoted is None else _guide_words(self, self.quoted)
        return FigureHead(self.key, self.label, self.meaning, guide)


def seconds(value: float) -> str:
    return f"{value:.2f} s"


def rate(value: float) -> str:
    return f"{value:.1f}"


_WRITTEN: dict[str, Callable[[float], str]] = {
    "share": percent,
    "seconds": seconds,
    "clock": clock,
    "count": rate,
    "whole": lambda value: f"{value:g}",
    "score": score,
}
KINDS = (
    Kind("share_of_speech", "Talk ratio", "The agent's share of the speech", "share", "share_of_speech"),
    Kind("patience_s", "Patience", "How long the agent waits before answering", "seconds", "patience"),
    Kind(
        "longest_monologue_s",
        "Longest monologue",
        "The agent's longest stretch without the customer",
        "clock",
        "longest_monologue",
    ),
    Kind("interruptions", "Interruptions", "How often the agent interrupts, a call", "count"),
    Kind(
        "sentiment_shift",
        "Sentiment shift",
        "The customer's sentiment in the last quarter, less that in the first; from −10 to 10",
        "score",
    ),
)
CALLS = Kind("calls", "Calls", "Analysed calls", "whole")
"""Not a figure to be compared; it says how much the others stand on."""


def standings(kind: Kind, everybody: Iterable[AgentFigures], team: AgentFigures) -> tuple[Standing, ...]:
    """Each agent's figure beside the team's median."""
    return beside([kind.of(figures) for figures in everybody], kind.of(team), kind.shown)


def beside(
    values: Iterable[float | None], median: float | None, shown: Callable[[float | None], str]
) -> tuple[Standing, ...]:
    """``values`` as they lie around ``median``: the farthest one is at -1 or 1."""
    own = list(values)
    far = max((abs(value - median) for value in own if value is not None and median is not None), default=0)
    return tuple(_standing(value, median, far, shown) for value in own)


def _standing(
    value: float | None, median: float | None, far: float, shown: Callable[[float | None], str]
) -> Standing:
    if value is None or median is None:
        return Standing(shown(value), None, "")
    place = (value - median) / far if far > _SAME else 0.0
    if shown(value) == shown(median):
        return Standing(shown(value), place, "as the team's median")
    side = "above" if value > median else "below"
    return Standing(shown(value), place, f"{side} the team's median of {shown(median)}")


def plainly(kind: Kind, figures: AgentFigures) -> Standing:
    """A figure with nothing beside it."""
    return Standing(kind.shown(kind.of(figures)), None, "")


def kinds_of_moments(everybody: Iterable[AgentFigures]) -> tuple[str, ...]:
    """Types that occur at all, the most frequent first."""
    totals: dict[str, float] = {}
    for figures in everybody:
        for kind, each in figures.moments_per_call.items():
            totals[kind] = totals.get(kind, 0.0) + each
    return tuple(
        sorted((kind for kind, total in totals.items() if total > 0), key=lambda kind: -totals[kind])
    )


def objection_lines(patterns: Iterable[ObjectionPattern]) -> tuple[ObjectionLine, ...]:
    """The most frequent kinds first; what follows them, too."""
    return tuple(
        ObjectionLine(
            subtype=pattern.subtype,
            count=pattern.count,
            follows=tuple(
                WhatFollows(kind, count, count / pattern.count)
                for kind, count in sorted(pattern.followed_by.items(), key=lambda item: (-item[1], item[0]))
                if count
            ),
            judged=pattern.judged,
            before=pattern.sentiment_before,
            after=pattern.sentiment_after,
        )
        for pattern in sorted(patterns, key=lambda pattern: (-pattern.count, pattern.subtype or ""))
    )


def _guide_words(kind: Kind, guide: Guide) -> str:
    least, most = (None if bound is None else kind.shown(bound) for bound in (guide.least, guide.most))
    if least is None or most is None:
        reach = f"at most {most}" if most else f"at least {least}"
    else:
        reach = least if least == most else f"{least} to {most}"
    return f"{reach} ({guide.source})"
