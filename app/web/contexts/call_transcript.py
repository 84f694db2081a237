"""The words of a call as its page shows them. Times in seconds; `_cs`: in hundredths of a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.contexts.frame import Frame


@dataclass(frozen=True, slots=True)
class Run:
    """Words that are evidence of the same ``moments``, ids apart by blanks; ``kind`` is the surest one's.

    Both are None for words that are no evidence. ``space_before``: a blank stands before its first word.
    """

    text: str
    space_before: bool
    kind: str | None
    moments: str | None


@dataclass(frozen=True, slots=True)
class SegmentShown:
    """``says_who``: another speaker than in the segment before. ``feeling`` is None where it is neutral.

    ``heard``: what was heard, where ``is_corrected``. ``words`` gives each word's start, in hundredths
    from the segment's, and its length in UTF-16 units, as `0.4 35.5`: a script makes of them what can be
    clicked. Long calls have tens of thousands, which as elements of their own would be most of the page.
    """

    index: int
    speaker: str
    label: str
    role: str
    says_who: bool
    start_s: float
    start_cs: int
    end_cs: int
    feeling: str | None
    feeling_score: float | None
    is_corrected: bool
    heard: str | None
    words: str
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class LostCorrection:
    """A correction that fits no segment of the present result."""

    id: str
    heard: str
    text: str
    start_s: float


@dataclass(frozen=True)
class CorrectionForm:
    """A segment's words to be put right. ``heard``: what it said before, None where it was not corrected."""

    call_id: str
    index: int
    label: str
    start_s: float
    text: str
    heard: str | None


@dataclass(frozen=True)
class CorrectSegment:
    template: ClassVar[str] = "correct_segment.html"
    dialog: ClassVar[str] = "correct_segment_question.html"

    frame: Frame
    form: CorrectionForm


@dataclass(frozen=True)
class CommentShown:
    id: str
    time_s: float
    time_cs: int
    x: float
    text: str
    author: str | None
    created_at: datetime


@dataclass(frozen=True)
class CommentsOnly:
    """The list of comments after one was made, changed or removed, with their pins."""

    template: ClassVar[str] = "call_comments.html"

    frame: Frame
    call_id: str
    comments: tuple[CommentShown, ...]


@dataclass(frozen=True)
class ChangeComment:
    """A comment to be changed."""

    template: ClassVar[str] = "change_comment.html"
    dialog: ClassVar[str] = "change_comment_question.html"

    frame: Frame
    call_id: str
    comment: CommentShown
