"""A call as it is stored, apart from its analysis."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from app.schemas.analysis import CallStatus
from app.schemas.overview import Overview
from app.schemas.search import TextMatch


class Queue(StrEnum):
    """Where an unfinished call waits: for the stages that hear the recording, for those that judge the
    words, or, with all of its stages, behind every other call."""

    TRANSCRIBE = "transcribe"
    ANALYZE = "analyze"
    BULK = "bulk"


ALL_QUEUES = tuple(Queue)
FILE_NAME = "file"
"""Key of the metadata that holds what the recording was called elsewhere; folders may precede it."""


@dataclass(frozen=True)
class QueueState:
    """How many calls of a queue wait and are in work; ``oldest``: since when the first one waits."""

    queue: Queue
    waiting: int = 0
    in_work: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True)
class CallOptions:
    """What a client asks for that alters the result; None leaves it to the service.

    ``language``: ISO 639-1. ``agent_channel``: the channel on which the agent speaks. ``num_speakers``: how
    many take part. ``vocabulary``: names of products, competitors and the like that may be spoken.
    ``playbook``: the name of the one whose rules find moments.
    """

    language: str | None = None
    agent_channel: int | None = None
    num_speakers: int | None = None
    vocabulary: tuple[str, ...] | None = None
    playbook: str | None = None

    def completed(self, defaults: CallOptions) -> CallOptions:
        """These options, and those of ``defaults`` where nothing is asked for."""
        asked = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(defaults, **asked)


@dataclass(frozen=True)
class NewCall:
    """What is known of a call when its recording has arrived. Times are aware and in UTC.

    ``fingerprint`` is the SHA-256 of the recording's SHA-256 and of ``options``.
    """

    call_id: str
    fingerprint: str
    audio_key: str
    audio_sha256: str
    audio_bytes: int
    agent_id: str | None = None
    team_id: str | None = None
    customer_id: str | None = None
    options: CallOptions = CallOptions()
    started_at: datetime | None = None
    direction: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    webhook_url: str | None = None
    queue: Queue = Queue.TRANSCRIBE
    priority: int = 0


@dataclass(frozen=True)
class RequestKey:
    """What a client sent as `Idempotency-Key`, and the SHA-256 of the whole request that it came with."""

    key: str
    fingerprint: str


@dataclass(frozen=True)
class Claim:
    """The right to work on a call: ``token`` is newer than that of any earlier claim on it, and every write
    names it. ``attempt`` counts from 1."""

    call_id: str
    owner: str
    token: int
    attempt: int


@dataclass(frozen=True)
class Failure:
    """Why a call failed: a stable code, the stage it was in, and words for people."""

    code: str
    stage: str | None
    detail: str
    status: int = 500


@dataclass(frozen=True)
class CallRecord:
    """One row of calls. ``audio_key`` is None once the recording is gone; ``owner`` works on it.

    ``queue`` is None when it is finished. ``percent`` in [0, 100] never falls within one run, and is 100 only
    with a result. ``duplicate_of``: the first call with the same recording.

    Under ``legal_hold`` nothing of it is removed. ``audio_missing_at``: since when its recording is known not
    to be where it should be. ``audio_deleted_at`` and ``text_deleted_at``: removed then, as it was time.
    """

    call_id: str
    status: CallStatus
    fingerprint: str
    audio_key: str | None
    audio_sha256: str
    audio_bytes: int
    agent_id: str | None
    customer_id: str | None
    options: CallOptions
    started_at: datetime | None
    direction: str | None
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime
    team_id: str | None = None
    completed_at: datetime | None = None
    stage: str | None = None
    owner: str | None = None
    heartbeat_at: datetime | None = None
    failure: Failure | None = None
    duration_s: float | None = None
    queue: Queue | None = None
    priority: int = 0
    queued_at: datetime | None = None
    percent: float = 0.0
    attempts: int = 0
    duplicate_of: str | None = None
    legal_hold: bool = False
    audio_missing_at: datetime | None = None
    audio_deleted_at: datetime | None = None
    text_deleted_at: datetime | None = None

    @property
    def file_name(self) -> str | None:
        """What its recording was called, where that is known, without folders."""
        return self.metadata.get(FILE_NAME, "").rsplit("/", 1)[-1].strip() or None

    @property
    def is_waiting(self) -> bool:
        """Unfinished, and nobody works on it."""
        return self.queue is not None and self.owner is None


@dataclass(frozen=True)
class CallSummary:
    """One line of a list of calls. ``moments`` counts the moments of the current result by type.

    ``overview`` is None without a result, ``queue_position`` (1 is next) unless the call waits, ``match``
    where nothing was searched for.
    """

    call: CallRecord
    language: str | None
    degraded: bool
    moments: dict[str, int]
    overview: Overview | None = None
    queue_position: int | None = None
    match: TextMatch | None = None


@dataclass(frozen=True)
class CallFilter:
    """What a list of calls is narrowed to; ``date_from`` and ``date_to`` bound ``created_at``, inclusive.

    ``q``: what the current transcript must hold, as ``TextQuery`` reads it. The bounds of the duration are
    inclusive; a call of unknown length is outside of any.
    """

    agent_id: str | None = None
    team_id: str | None = None
    customer_id: str | None = None
    status: CallStatus | None = None
    moment_type: str | None = None
    date_from: datetime | None = None
    date_to: datetime | None = None
    legal_hold: bool | None = None
    direction: str | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    q: str | None = None
