"""A segment's words as whoever judges them is given them: with the role and the turn before."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Before:
    """What another speaker said just before, and in which role."""

    role: str
    text: str


@dataclass(frozen=True)
class Utterance:
    """``role``: ``agent``, ``customer`` or ``unknown``; ``before`` is None at the start of a call."""

    text: str
    role: str = "unknown"
    before: Before | None = None
