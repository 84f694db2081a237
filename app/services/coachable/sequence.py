"""Conditions on what other rules found before or after a segment. The schema, and the order it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from app.schemas.moment import MomentType, ObjectionSubtype, TimedMomentType
from app.services.coachable.part import Part

RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Reference(Part):
    """A match of another rule (``rule``: its id), or of any other rule of a ``type`` and ``subtype``.

    ``by``: who speaks there; agent and customer also mean a speaker whose role is unknown, same and other
    compare with the speaker of the segment. ``within_s``: how much time may lie between, from the end of the
    earlier of the two segments (of a moment in time: its own end) to the start of the later one; one who
    speaks before the other ends is within any time. Without it, any time may.

    In one and the same segment the words of the one must stand before those of the other.
    """

    rule: RuleId | None = None
    type: MomentType | TimedMomentType | None = None
    subtype: ObjectionSubtype | None = None
    by: Literal["agent", "customer", "anyone", "same", "other"] = "anyone"
    within_s: float | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.rule is None) == (self.type is None):
            raise ValueError("name either a rule or a type")
        if self.subtype is not None and self.type is not MomentType.OBJECTION:
            raise ValueError("only the type objection has a subtype")
        return self

    def means(self, rule_id: str, type_: str, subtype: str | None) -> bool:
        """Whether it speaks of this rule."""
        if self.rule is not None:
            return rule_id == self.rule
        return type_ == self.type and self.subtype in (None, subtype)


class CycleError(ValueError):
    """Rules that wait for one another; ``rules`` are their places, the first again at the end."""

    def __init__(self, rules: Sequence[int]) -> None:
        super().__init__("rules wait for one another")
        self.rules = tuple(rules)


def in_order(waits_for: Mapping[int, Sequence[int]], count: int) -> list[int]:
    """The numbers 0 to ``count`` − 1, each after those it waits for. Raises CycleError.

    A walk in depth without recursion, so that a long chain is no deeper than a short one.
    """
    order: list[int] = []
    done = [False] * count
    for start in range(count):
        path = [] if done[start] else [(start, iter(waits_for.get(start, ())))]
        on_path = {number for number, _ in path}
        while path:
            number, rest = path[-1]
            following = next((other for other in rest if not done[other]), None)
            if following is None:
                path.pop()
                on_path.discard(number)
                done[number] = True
                order.append(number)
            elif following in on_path:
                numbers = [number for number, _ in path]
                raise CycleError([*numbers[numbers.index(following) :], following])
            else:
                path.append((following, iter(waits_for.get(following, ()))))
                on_path.add(following)
    return order
