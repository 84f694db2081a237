"""Playbooks: the list, one with its rules, and what is said of a rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.contexts.base import Choice
from app.web.contexts.frame import Frame


@dataclass(frozen=True)
class PlaybookLine:
    """``revision`` and what follows it are of the current one, None where nothing is published."""

    name: str
    is_default: bool
    is_file: bool
    revision: str | None
    version: str
    rules: int
    languages: tuple[str, ...]
    published_at: datetime | None
    draft: str | None
    drafted_at: datetime | None


@dataclass(frozen=True)
class PlaybooksPage:
    template: ClassVar[str] = "playbooks.html"

    frame: Frame
    playbooks: tuple[PlaybookLine, ...]


@dataclass(frozen=True)
class Precision:
    """Of ``reviewed`` moments that a rule found, ``right`` were right: ``value``, which with 95 % confidence
    lies between ``low`` and ``high``; all in [0, 1]."""

    reviewed: int
    right: int
    wrong: int
    other: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Instead:
    """What was right in place of a rule's type, and how often."""

    label: str
    count: int


@dataclass(frozen=True)
class ConditionLine:
    """A line of a condition in words, ``depth`` deep; the first of its ``phrases``, and how many ``more``."""

    depth: int
    text: str
    phrases: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True)
class RuleCard:
    """A rule; ``precision``: over all revisions, ``of_revision``: of the current one. None: no verdicts."""

    id: str
    kind: str
    subtype: str | None
    role: str
    languages: tuple[str, ...]
    confidence: float
    why: str
    tip: str
    condition: tuple[ConditionLine, ...]
    match: tuple[str, ...]
    no_match: tuple[str, ...]
    precision: Precision | None
    of_revision: Precision | None
    instead: tuple[Instead, ...]


@dataclass(frozen=True)
class RevisionLine:
    """``may_return``: it was published before and may be made the current one again."""

    revision: str
    version: str
    rules: int
    is_draft: bool
    is_current: bool
    at: datetime | None
    may_return: bool


@dataclass(frozen=True)
class RuleFilters:
    kinds: tuple[Choice, ...]
    languages: tuple[Choice, ...]
    orders: tuple[Choice, ...]


@dataclass(frozen=True)
class PlaybookPage:
    """``rules`` are those that are asked for, of ``all_rules``. ``judged`` and ``right``: verdicts on moments
    of all rules."""

    template: ClassVar[str] = "playbook.html"

    frame: Frame
    name: str
    description: str | None
    is_file: bool
    is_default: bool
    revision: str | None
    version: str
    draft: str | None
    drafted_at: datetime | None
    filters: RuleFilters
    rules: tuple[RuleCard, ...]
    all_rules: int
    judged: int
    right: int
    revisions: tuple[RevisionLine, ...]
