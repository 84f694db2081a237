"""A call as it is stored, apart from its analysis."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from app.schemas.analysis import CallStatus


@dataclass(frozen=True)
class CallOptions:
    """What a client asks for that alters the result; None leaves it to the service.

    ``language``: ISO 639-1. ``agent_channel``: the channel on which the agent speaks. ``num_speakers``: how
    many take part. ``vocabulary``: names of products, competitors and the like that may be spoken.
    """

    language: str | None = None
    agent_channel: int | None = None
    num_speakers: int | None = None
    vocabulary: tuple[str, ...] | None = None

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
    customer_id: str | None = None
    options: CallOptions = CallOptions()
    started_at: datetime | None = None
    direction: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    webhook_url: str | None = None


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
    completed_at: datetime | None = None
    stage: str | None = None
    owner: str | None = None
    heartbeat_at: datetime | None = None
    failure: Failure | None = None
    duration_s: float | None = None
    legal_hold: bool = False
    audio_missing_at: datetime | None = None
    audio_deleted_at: datetime | None = None
    text_deleted_at: datetime | None = None


@dataclass(frozen=True)
class CallSummary:
    """One line of a list of calls. ``moments`` counts the moments of the current result by type."""

    call: CallRecord
    language: str | None
    degraded: bool
    moments: dict[str, int]


@dataclass(frozen=True)
class CallFilter:
    """What a list of calls is narrowed to; ``date_from`` and ``date_to`` bound ``created_at``, inclusive."""

    agent_id: str | None = None
    customer_id: str | None = None
    status: CallStatus | None = None
    moment_type: str | None = None
    date_from: datetime | None = None
    date_to: datetime | None = None
    legal_hold: bool | None = None
