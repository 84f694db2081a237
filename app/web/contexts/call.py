"""The page of one call: what stands at its head, the work on it, and the review of its result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.contexts.base import Choice
from app.web.contexts.call_moments import MomentList, MomentShown
from app.web.contexts.call_numbers import Numbers
from app.web.contexts.call_reel import ReelForm
from app.web.contexts.call_tracks import Tracks
from app.web.contexts.call_transcript import CommentShown, LostCorrection, SegmentShown
from app.web.contexts.calls import CallFailure
from app.web.contexts.frame import Frame


@dataclass(frozen=True)
class EngineUsed:
    stage: str
    label: str


@dataclass(frozen=True)
class Told:
    """Something that a reader of the result should know."""

    stage: str
    code: str
    message: str


@dataclass(frozen=True)
class CallHead:
    """``is_degraded``: a lesser engine answered than the first choice. ``file_name``: what the recording was
    called, where that is known.
    """

    call_id: str
    file_name: str | None
    agent_id: str | None
    team_id: str | None
    customer_id: str | None
    held_at: datetime
    direction: str | None
    duration_s: float | None
    language: str | None
    status: str
    is_final: bool
    is_held: bool
    duplicate_of: str | None
    has_result: bool
    has_audio: bool
    has_text: bool
    audio_deleted_at: datetime | None
    text_deleted_at: datetime | None
    audio_is_missing: bool
    is_degraded: bool
    engines: tuple[EngineUsed, ...]
    notices: tuple[Told, ...]
    playbook: str
    revision: str


@dataclass(frozen=True)
class CallWork:
    """Work that waits or goes on, or that ``is_done`` since the page was shown.

    ``has_result``: an earlier result is shown meanwhile.
    """

    call_id: str
    status: str
    stage: str | None
    percent: float
    queue_position: int | None
    attempts: int
    has_result: bool
    is_done: bool


@dataclass(frozen=True)
class SpeakerShown:
    """``sure``: how sure the role is, in [0, 1]; ``known_by`` says what it rests on."""

    id: str
    name: str | None
    label: str
    role: str
    roles: tuple[Choice, ...]
    sure: float
    known_by: str
    channel: int | None
    others: tuple[Choice, ...]


@dataclass(frozen=True)
class Rest:
    """What of a long call does not come with its page: from which segment and second on, and how much."""

    segment: int
    start_s: float
    segments: int
    moments: int


@dataclass(frozen=True)
class Review:
    """Everything that was found in the call. ``no_speech``: nobody speaks in it.

    With a ``rest``, segments and moments are those before it; None where all of them are there.
    """

    no_speech: bool
    has_sentiment: bool
    tracks: Tracks
    segments: tuple[SegmentShown, ...]
    rest: Rest | None
    corrections: int
    lost: tuple[LostCorrection, ...]
    moments: MomentList
    numbers: Numbers | None
    comments: tuple[CommentShown, ...]
    speakers: tuple[SpeakerShown, ...]
    reel: ReelForm


@dataclass(frozen=True)
class CallPage:
    """``review`` is None while there is no result."""

    template: ClassVar[str] = "call.html"

    frame: Frame
    head: CallHead
    work: CallWork | None
    failure: CallFailure | None
    review: Review | None


@dataclass(frozen=True)
class CallRest:
    """The segments and moments of a long call that its page came without."""

    template: ClassVar[str] = "call_rest.html"

    frame: Frame
    call_id: str
    segments: tuple[SegmentShown, ...]
    moments: tuple[MomentShown, ...]
    may_judge: bool
    has_audio: bool


@dataclass(frozen=True)
class CallWorkOnly:
    """The work as it is now, for a page that follows it."""

    template: ClassVar[str] = "call_work.html"

    frame: Frame
    work: CallWork


@dataclass(frozen=True)
class AgainForm:
    """How the work may be done again: by which playbook, and from which stage on.

    Without the recording, or without the words, only a part of it can.
    """

    call_id: str
    playbooks: tuple[Choice, ...]
    stages: tuple[Choice, ...]
    has_result: bool
    has_audio: bool
    has_text: bool


@dataclass(frozen=True)
class ChangeParties:
    """Asks whose call it is."""

    template: ClassVar[str] = "change_parties.html"
    dialog: ClassVar[str] = "change_parties_question.html"

    frame: Frame
    call_id: str
    agent_id: str | None
    team_id: str | None
    customer_id: str | None


@dataclass(frozen=True)
class RunAgain:
    template: ClassVar[str] = "again.html"
    dialog: ClassVar[str] = "again_question.html"

    frame: Frame
    form: AgainForm
