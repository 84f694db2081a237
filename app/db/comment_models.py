"""The table of reviewers' comments at a time of a call."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models import Base
from app.db.types import IdText


class CallCommentRow(Base):
    """A comment: under the call and under none of its results, so that it stays with a new one."""

    __tablename__ = "call_comments"
    __table_args__ = (Index("ix_call_comments_call", "call_id", "time_s", "created_at", "comment_id"),)

    comment_id: Mapped[str] = mapped_column(IdText, primary_key=True)
    call_id: Mapped[str] = mapped_column(IdText, ForeignKey("calls.call_id", ondelete="CASCADE"))
    time_s: Mapped[float]
    text: Mapped[str]
    author: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
