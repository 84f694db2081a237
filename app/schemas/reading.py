"""What the trained reader makes of one segment, and how its figures are weighed against those of rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reading:
    """Probabilities in [0, 1] by type of moment and, given an objection, by subtype.

    ``revision`` names the model, ``role`` the role it was told: for another one the figures say nothing.
    A type that is only ever about the other party has probability 0. ``sentiment``: positive, neutral,
    negative, or None where the model judges no feeling. ``clauses``: for each type the characters (from, to)
    of the clause that speaks most for it.
    """

    revision: str
    role: str
    types: Mapping[str, float]
    subtypes: Mapping[str, float]
    sentiment: tuple[float, float, float] | None = None
    clauses: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class MergeWeights:
    """Of one type: logit(p) = a + b logit(p of the reader) + c (confidence of the rule, else 0) + d [a rule
    found it]."""

    a: float
    b: float
    c: float
    d: float


@dataclass(frozen=True)
class Calibration:
    """How much one revision of the reader is to be believed.

    ``thresholds``: the probability from which it says a type by itself. ``rules``: the ids of the rules that
    ``weights`` were fitted with; they say nothing of others.
    """

    revision: str
    thresholds: Mapping[str, float]
    weights: Mapping[str, MergeWeights]
    rules: frozenset[str]
    floor: float
