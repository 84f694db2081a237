"""What came of trying a draft: what it finds, and what it and the current revision find apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from app.schemas.moment import Moment

MOST_CALLS = 200
"""Calls that one trial takes."""
MOST_HITS = 2_000
"""Hits of one list that are told."""


@dataclass(frozen=True)
class Hit:
    """A moment that a playbook finds. ``call_id`` is None in a text that was sent along; ``is_timed`` is
    False where nobody knows when its words were said."""

    call_id: str | None
    moment: Moment
    is_timed: bool = True


@dataclass(frozen=True)
class Skipped:
    """A call that could not be tried, and the stable code of why."""

    call_id: str
    reason: str


@dataclass(frozen=True)
class Since:
    """The latest calls taken in from ``since`` on, at most ``limit``."""

    since: datetime | None = None
    limit: int = 50


@dataclass
class Hits:
    """The first of them; how many there were is counted."""

    shown: list[Hit] = field(default_factory=list)
    count: int = 0

    def add(self, hit: Hit) -> None:
        self.count += 1
        if len(self.shown) < MOST_HITS:
            self.shown.append(hit)

    @property
    def left_out(self) -> int:
        return self.count - len(self.shown)


@dataclass
class Trial:
    """``found``: all that the draft finds. ``draft_rules`` and ``current_rules`` count hits by rule.

    ``current`` is None where nothing of the name is published. ``not_tried``: calls that were left when the
    time was over.
    """

    playbook: str
    draft: str
    current: str | None
    found: Hits = field(default_factory=Hits)
    only_draft: Hits = field(default_factory=Hits)
    only_current: Hits = field(default_factory=Hits)
    draft_rules: Counter[str] = field(default_factory=Counter)
    current_rules: Counter[str] = field(default_factory=Counter)
    tried: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    not_tried: int = 0
