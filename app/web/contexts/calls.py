"""The list of calls: the page, its table alone, one line alone, and the questions around them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.contexts.base import Choice
from app.web.contexts.frame import Frame


@dataclass(frozen=True)
class MomentCount:
    kind: str
    count: int


@dataclass(frozen=True)
class Piece:
    """Part of a text; ``is_match``: it is what was searched for."""

    text: str
    is_match: bool


@dataclass(frozen=True)
class CallFailure:
    """``may_be_repeated``: the recording is still there."""

    code: str
    stage: str | None
    detail: str
    may_be_repeated: bool


@dataclass(frozen=True)
class CallLine:
    """A call in the list. ``held_at``: when it began, else when it came in. ``curve``: sentiment in [-5, 5]
    over its length. ``agent_share``: of the speech, in [0, 1]. ``words``: where it says what is searched for.
    ``file_name``: what its recording was called, where that is known.

    ``follows``: its work goes on, so the line asks for itself again.
    """

    call_id: str
    file_name: str | None
    agent_id: str | None
    customer_id: str | None
    held_at: datetime
    duration_s: float | None
    status: str
    follows: bool
    stage: str | None
    percent: float
    queue_position: int | None
    failure: CallFailure | None
    is_held: bool
    moments: tuple[MomentCount, ...]
    more_moments: int
    curve: tuple[float | None, ...]
    agent_share: float | None
    words: tuple[Piece, ...]
    words_at_s: float | None


@dataclass(frozen=True)
class CallsTable:
    """``address``: of this list. ``newest``, ``older``: of other pages of it, None where there is none.

    ``is_narrowed``: by a filter, so that an empty list does not mean that there are no calls.
    """

    lines: tuple[CallLine, ...]
    address: str
    newest: str | None
    older: str | None
    is_narrowed: bool


@dataclass(frozen=True)
class CallFilters:
    """What the form of filters shows; values as they stand in the address, empty where they are not set.

    ``more``: how many of the filters that are folded away are set.
    """

    q: str
    agent_id: str
    customer_id: str
    team_id: str
    date_from: str
    date_to: str
    statuses: tuple[Choice, ...]
    moment_types: tuple[Choice, ...]
    directions: tuple[Choice, ...]
    at_least: tuple[Choice, ...]
    at_most: tuple[Choice, ...]
    more: int


@dataclass(frozen=True)
class UploadForm:
    """``accept``: kinds of file that the browser offers first. ``most_mb``: the largest recording."""

    accept: str
    most_mb: int


@dataclass(frozen=True)
class FirstCall:
    """How an empty system gets its first call. ``command``: a line for a shell."""

    command: str
    needs_key: bool
    has_demo: bool


@dataclass(frozen=True)
class CallsPage:
    """``first_call`` is None once there are calls."""

    template: ClassVar[str] = "calls.html"

    frame: Frame
    filters: CallFilters
    table: CallsTable
    upload: UploadForm
    first_call: FirstCall | None


@dataclass(frozen=True)
class CallsTableOnly:
    template: ClassVar[str] = "calls_table.html"

    frame: Frame
    table: CallsTable


@dataclass(frozen=True)
class CallLineOnly:
    template: ClassVar[str] = "call_line.html"

    frame: Frame
    line: CallLine


@dataclass(frozen=True)
class UploadPage:
    template: ClassVar[str] = "upload.html"

    frame: Frame
    upload: UploadForm


@dataclass(frozen=True)
class DeleteCall:
    """Asks before a call is deleted; then on to ``next_address``."""

    template: ClassVar[str] = "delete_call.html"
    dialog: ClassVar[str] = "delete_call_question.html"

    frame: Frame
    call_id: str
    file_name: str | None
    agent_id: str | None
    customer_id: str | None
    held_at: datetime
    is_held: bool
    next_address: str
