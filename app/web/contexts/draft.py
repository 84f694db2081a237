"""A draft: its text in an editor, what is wrong with it, and what trying it found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.contexts.base import Choice
from app.web.contexts.frame import Frame


@dataclass(frozen=True)
class DraftProblem:
    """``line`` is None where nobody can say it."""

    line: int | None
    field: str
    message: str


@dataclass(frozen=True)
class Refusal:
    """Why a text was not kept, tried or published."""

    title: str
    detail: str
    problems: tuple[DraftProblem, ...]


@dataclass(frozen=True)
class HitLine:
    """A moment that is found; ``address``: of its place in the call, None in a text that was pasted."""

    call_id: str | None
    address: str | None
    at_s: float | None
    kind: str
    subtype: str | None
    rule: str
    words: str


@dataclass(frozen=True)
class HitsShown:
    """The first of ``count``."""

    count: int
    hits: tuple[HitLine, ...]


@dataclass(frozen=True)
class RuleChange:
    rule: str
    draft: int
    current: int


@dataclass(frozen=True)
class SkippedCalls:
    """How many calls could not be tried, and why."""

    reason: str
    count: int


@dataclass(frozen=True)
class TrialShown:
    """What the draft finds against the current revision. ``not_tried``: calls left when the time was over;
    ``is_text``: a text that was pasted was tried, and no calls."""

    is_text: bool
    has_current: bool
    tried: int
    skipped: tuple[SkippedCalls, ...]
    not_tried: int
    found: int
    anew: HitsShown
    no_more: HitsShown
    rules: tuple[RuleChange, ...]


@dataclass(frozen=True)
class TryForm:
    """What a trial takes: ``limits`` of calls, those taken in ``since`` a day, or a pasted text."""

    limits: tuple[Choice, ...]
    since: str
    text: str
    longest_s: int


@dataclass(frozen=True)
class DraftPage:
    """``name`` is None for a new playbook. ``etag`` names the draft that the text is to take the place of,
    empty where there was none. ``is_default``: calls that name no playbook go by this one. ``beside``:
    languages whose rules lie in files that a draft does not hold.
    """

    template: ClassVar[str] = "draft.html"

    frame: Frame
    name: str | None
    yaml: str
    etag: str
    revision: str | None
    kept_at: datetime | None
    has_current: bool
    is_default: bool
    beside: tuple[str, ...]
    try_form: TryForm
    refusal: Refusal | None
    trial: TrialShown | None


@dataclass(frozen=True)
class DraftAnswers:
    """What trying comes to, alone."""

    template: ClassVar[str] = "draft_answers.html"

    refusal: Refusal | None
    trial: TrialShown | None


@dataclass(frozen=True)
class DiscardDraft:
    template: ClassVar[str] = "discard_draft.html"
    dialog: ClassVar[str] = "discard_draft_question.html"

    frame: Frame
    name: str
    revision: str
    etag: str
    has_current: bool
