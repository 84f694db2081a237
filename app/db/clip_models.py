"""The table of clips."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models import Base
from app.db.types import IdText


class ClipRow(Base):
    """A clip, under its call and under none of its results. ``audio_key`` is a file of its own."""

    __tablename__ = "clips"
    __table_args__ = (
        Index("ix_clips_created", "created_at", "clip_id"),
        Index("ix_clips_folder", "folder", "created_at", "clip_id"),
        Index("ix_clips_call_id", "call_id"),
        Index("ix_clips_audio_key", "audio_key"),
    )

    clip_id: Mapped[str] = mapped_column(IdText, primary_key=True)
    call_id: Mapped[str] = mapped_column(IdText, ForeignKey("calls.call_id", ondelete="CASCADE"))
    moment_id: Mapped[str | None]
    folder: Mapped[str | None] = mapped_column(IdText)
    title: Mapped[str]
    note: Mapped[str | None]
    start_s: Mapped[float]
    end_s: Mapped[float]
    type: Mapped[str | None]
    subtype: Mapped[str | None]
    excerpt: Mapped[list[Any]]
    consent: Mapped[str]
    consent_by: Mapped[str | None]
    consent_at: Mapped[datetime | None]
    audio_key: Mapped[str] = mapped_column(IdText)
    audio_bytes: Mapped[int] = mapped_column(BigInteger())
    audio_sha256: Mapped[str]
    created_at: Mapped[datetime]
