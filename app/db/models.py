"""The tables: calls, the versions of their analyses, and what lies under a version.

No relationships: repositories load what they need, in bulk, and hand out the frozen values of
``app.schemas``. What lies under a result is keyed by its place in it, so that a whole analysis goes in
without asking the database for generated keys.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.db.types import IdText, StoredJson, StoredText, UtcDateTime

_UNFINISHED = text("queue IS NOT NULL")
ResultId = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """Python types of columns, and names for constraints, so that later migrations can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own protocol
        str: StoredText(),
        float: Double(),
        bool: Boolean(),
        int: Integer(),
        datetime: UtcDateTime(),
        dict[str, Any]: StoredJson(),
        list[Any]: StoredJson(),
    }


def table_of(row: type[Base]) -> Table:
    """The table of a mapped class, for statements that bypass the unit of work."""
    table = row.__table__
    assert isinstance(table, Table)
    return table


class CallRow(Base):
    """A call.

    ``queue`` is set while it is unfinished, and only then; ``owner`` and ``heartbeat_at`` while somebody
    works on it. ``token`` rises with every change of hands: a write that names an older one is refused.
    ``rung_at``: when workers elsewhere were last told that it waits.
    """

    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_created", "created_at", "call_id"),
        Index("ix_calls_agent", "agent_id", "created_at", "call_id"),
        Index("ix_calls_team", "team_id", "created_at", "call_id"),
        Index("ix_calls_customer", "customer_id", "created_at", "call_id"),
        Index("ix_calls_status", "status", "created_at", "call_id"),
        Index("ix_calls_current_result_id", "current_result_id"),
        Index("ix_calls_queue", "queue", "priority", "queued_at", "call_id"),
        Index("ix_calls_rung", "queue", "rung_at", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
        Index("ix_calls_audio_sha256", "audio_sha256", "created_at"),
        Index("ix_calls_audio_key", "audio_key"),
        *(
            Index(name, "created_at", "call_id", sqlite_where=text(rows), postgresql_where=text(rows))
            for name, rows in (
                ("ix_calls_with_audio", "audio_key IS NOT NULL"),
                ("ix_calls_with_text", "text_deleted_at IS NULL"),
            )
        ),
        Index(
            "ix_calls_held",
            "created_at",
            "call_id",
            sqlite_where=text("legal_hold = 1"),
            postgresql_where=text("legal_hold"),
        ),
    )

    call_id: Mapped[str] = mapped_column(IdText, primary_key=True)
    status: Mapped[str]
    fingerprint: Mapped[str]
    audio_key: Mapped[str | None] = mapped_column(IdText)
    audio_sha256: Mapped[str]
    audio_bytes: Mapped[int] = mapped_column(BigInteger())
    agent_id: Mapped[str | None] = mapped_column(IdText)
    team_id: Mapped[str | None] = mapped_column(IdText)
    customer_id: Mapped[str | None] = mapped_column(IdText)
    language: Mapped[str | None]
    agent_channel: Mapped[int | None]
    num_speakers: Mapped[int | None]
    vocabulary: Mapped[list[Any] | None] = mapped_column(StoredJson())
    playbook: Mapped[str | None]
    started_at: Mapped[datetime | None]
    direction: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column("metadata", StoredJson())
    webhook_url: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    queue: Mapped[str | None]
    priority: Mapped[int]
    queued_at: Mapped[datetime | None]
    rung_at: Mapped[datetime | None]
    stage: Mapped[str | None]
    percent: Mapped[float]
    attempts: Mapped[int]
    token: Mapped[int]
    owner: Mapped[str | None]
    heartbeat_at: Mapped[datetime | None]
    duplicate_of: Mapped[str | None] = mapped_column(IdText)
    failure_code: Mapped[str | None]
    failure_stage: Mapped[str | None]
    failure_detail: Mapped[str | None]
    failure_status: Mapped[int | None]
    duration_s: Mapped[float | None]
    current_result_id: Mapped[int | None] = mapped_column(
        ResultId, ForeignKey("results.id", ondelete="SET NULL", use_alter=True)
    )
    legal_hold: Mapped[bool]
    audio_missing_at: Mapped[datetime | None]
    audio_deleted_at: Mapped[datetime | None]
    text_deleted_at: Mapped[datetime | None]


class ResultRow(Base):
    """One version of a call's analysis; written once, never changed.

    A version that a reviewer's corrections made holds them in ``edits``, and in ``edited_from`` the one that
    they start from.
    """

    __tablename__ = "results"
    __table_args__ = (UniqueConstraint("call_id", "version"), Index("ix_results_edited_from", "edited_from"))

    id: Mapped[int] = mapped_column(ResultId, primary_key=True, autoincrement=True)
    call_id: Mapped[str] = mapped_column(IdText, ForeignKey("calls.call_id", ondelete="CASCADE"))
    version: Mapped[int]
    status: Mapped[str]
    engines: Mapped[dict[str, Any]]
    degraded: Mapped[bool]
    warnings: Mapped[list[Any]]
    failed_stages: Mapped[list[Any]]
    language: Mapped[str | None]
    language_confidence: Mapped[float | None]
    duration_s: Mapped[float]
    playbook: Mapped[str]
    playbook_revision: Mapped[str]
    metrics: Mapped[dict[str, Any] | None] = mapped_column(StoredJson())
    loudness: Mapped[list[Any]]
    separate_channels: Mapped[bool]
    edits: Mapped[list[Any]]
    edited_from: Mapped[int | None] = mapped_column(ResultId, ForeignKey("results.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]


class TranscriptRow(Base):
    """The whole text of a result."""

    __tablename__ = "transcripts"

    result_id: Mapped[int] = mapped_column(
        ResultId, ForeignKey("results.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    text: Mapped[str]
    language: Mapped[str | None]


class SpeakerRow(Base):
    """A voice of a call; ``idx`` is its place in the order of appearance."""

    __tablename__ = "speakers"

    result_id: Mapped[int] = mapped_column(
        ResultId, ForeignKey("results.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    idx: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    speaker: Mapped[str]
    role: Mapped[str]
    role_confidence: Mapped[float]
    role_source: Mapped[str]
    name: Mapped[str | None]
    channel: Mapped[int | None]


class SegmentRow(Base):
    """A stretch of one speaker, with its sentiment and its reading (null where these are off or failed).

    ``sentiment_score`` alone is null where nobody could judge its language.
    """

    __tablename__ = "segments"

    result_id: Mapped[int] = mapped_column(
        ResultId, ForeignKey("results.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    idx: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    speaker: Mapped[str]
    role: Mapped[str]
    start_s: Mapped[float]
    end_s: Mapped[float]
    text: Mapped[str]
    sentiment_label: Mapped[str | None]
    sentiment_score: Mapped[float | None]
    sentiment_positive: Mapped[float | None]
    sentiment_neutral: Mapped[float | None]
    sentiment_negative: Mapped[float | None]
    is_coachable: Mapped[bool]
    coachable_type: Mapped[str | None]
    reading: Mapped[dict[str, Any] | None] = mapped_column(StoredJson(none_as_null=True))


class WordRow(Base):
    """One word; ``idx`` is its place in its segment."""

    __tablename__ = "words"
    __table_args__ = (
        ForeignKeyConstraint(
            ["result_id", "segment"], ["segments.result_id", "segments.idx"], ondelete="CASCADE"
        ),
        # Small rows that are only ever read along their key: no second tree in SQLite.
        {"sqlite_with_rowid": False},
    )

    result_id: Mapped[int] = mapped_column(ResultId, primary_key=True, autoincrement=False)
    segment: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    idx: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str]
    start_s: Mapped[float]
    end_s: Mapped[float]
    confidence: Mapped[float | None]
    space_before: Mapped[bool]
    ends_segment: Mapped[bool]
    channel: Mapped[int | None]
    estimated: Mapped[bool]


class MomentRow(Base):
    """A coachable moment; ``idx`` is its place in the result, ``public_id`` what clients see.

    ``segment`` and ``speaker`` are null for one that belongs to the call.
    """

    __tablename__ = "moments"
    __table_args__ = (
        ForeignKeyConstraint(
            ["result_id", "segment"], ["segments.result_id", "segments.idx"], ondelete="CASCADE"
        ),
        UniqueConstraint("result_id", "public_id"),
        Index("ix_moments_type", "type", "result_id"),
    )

    result_id: Mapped[int] = mapped_column(
        ResultId, ForeignKey("results.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    idx: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    segment: Mapped[int | None]
    public_id: Mapped[str]
    type: Mapped[str]
    subtype: Mapped[str | None]
    confidence: Mapped[float]
    source: Mapped[str]
    rule: Mapped[str]
    why: Mapped[str]
    tip: Mapped[str]
    speaker: Mapped[str | None]
    role: Mapped[str]
    evidence_text: Mapped[str]
    evidence_start_char: Mapped[int]
    evidence_end_char: Mapped[int]
    evidence_start_s: Mapped[float]
    evidence_end_s: Mapped[float]
    evidence_first_word: Mapped[int]
    evidence_last_word: Mapped[int]
