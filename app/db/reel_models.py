"""The tables of rendered reels."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models import Base
from app.db.types import IdText


class ReelRow(Base):
    """A rendered reel. ``withdrawn``: one of its calls is gone, and its file is about to be."""

    __tablename__ = "reels"
    __table_args__ = (Index("ix_reels_audio_key", "audio_key"), Index("ix_reels_created", "created_at"))

    reel_id: Mapped[str] = mapped_column(IdText, primary_key=True)
    audio_key: Mapped[str] = mapped_column(IdText)
    audio_bytes: Mapped[int] = mapped_column(BigInteger())
    duration_s: Mapped[float]
    source: Mapped[str]
    engine: Mapped[str]
    cues: Mapped[list[Any]]
    withdrawn: Mapped[bool]
    created_at: Mapped[datetime]


class ReelCallRow(Base):
    """A call of which a reel shows something."""

    __tablename__ = "reel_calls"
    __table_args__ = (Index("ix_reel_calls_call_id", "call_id"),)

    reel_id: Mapped[str] = mapped_column(
        IdText, ForeignKey("reels.reel_id", ondelete="CASCADE"), primary_key=True
    )
    call_id: Mapped[str] = mapped_column(
        IdText, ForeignKey("calls.call_id", ondelete="CASCADE"), primary_key=True
    )
