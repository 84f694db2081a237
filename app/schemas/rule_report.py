"""How right the rules of a playbook are, by reviewers' verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.schemas.review import Verdict


@dataclass(frozen=True)
class VerdictCount:
    """How many moments of one rule of one revision got one verdict; ``label``: what was right instead."""

    rule: str
    revision: str
    verdict: Verdict
    label: str | None
    count: int


@dataclass(frozen=True)
class RulePrecision:
    """Of ``reviewed`` moments that a rule found, ``right`` are right, ``wrong`` none at all, ``other`` of
    another type.

    ``precision`` is right / reviewed, with the interval ``low`` to ``high`` in which it lies with 95 %
    confidence. ``instead``: how often each other type was the right one. ``revision`` is None over all.
    """

    rule: str
    revision: str | None
    right: int
    wrong: int
    other: int
    low: float
    high: float
    instead: dict[str, int] = field(default_factory=dict)

    @property
    def reviewed(self) -> int:
        return self.right + self.wrong + self.other

    @property
    def precision(self) -> float:
        return self.right / self.reviewed
