"""What a coach says about a moment that no rule found, and that so has no words of a rule's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from app.schemas.moment import MomentType, ObjectionSubtype

FILE = Path(__file__).with_name("advice.yaml")


@dataclass(frozen=True)
class Advice:
    """One line each: ``why`` it matters, and a ``tip`` for the agent."""

    why: str
    tip: str


@lru_cache(maxsize=1)
def load_advice() -> Mapping[tuple[str, str | None], Advice]:
    """By type and, of objections, subtype; one for each that there is."""
    lines = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {kind: Advice(**lines[_key(*kind)]) for kind in _kinds()}


def _kinds() -> list[tuple[str, str | None]]:
    plain = [(kind.value, None) for kind in MomentType if kind is not MomentType.OBJECTION]
    return [*plain, *((MomentType.OBJECTION.value, subtype.value) for subtype in ObjectionSubtype)]


def _key(kind: str, subtype: str | None) -> str:
    return kind if subtype is None else f"{kind}/{subtype}"
