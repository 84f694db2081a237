"""The table of reviewers' verdicts on moments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models import Base, ResultId
from app.db.types import IdText, StoredJson


class MomentReviewRow(Base):
    """A verdict on a moment, by its public id: under the call and under none of its results, so that it stays
    when the call is analysed again.

    ``type`` to ``end_s`` tell the moment as it was found, ``segment_…`` and ``before_…`` the words in which
    it was; the words, with ``evidence`` and ``note``, go when the call's words do.
    """

    __tablename__ = "moment_reviews"
    __table_args__ = (
        UniqueConstraint("call_id", "moment_id"),
        Index("ix_moment_reviews_playbook", "playbook", "revision"),
    )

    id: Mapped[int] = mapped_column(ResultId, primary_key=True, autoincrement=True)
    call_id: Mapped[str] = mapped_column(IdText, ForeignKey("calls.call_id", ondelete="CASCADE"))
    moment_id: Mapped[str]
    verdict: Mapped[str]
    correct_type: Mapped[str | None]
    correct_subtype: Mapped[str | None]
    note: Mapped[str | None]
    type: Mapped[str]
    subtype: Mapped[str | None]
    confidence: Mapped[float]
    source: Mapped[str]
    rule: Mapped[str]
    playbook: Mapped[str]
    revision: Mapped[str]
    role: Mapped[str]
    evidence: Mapped[str]
    start_char: Mapped[int]
    end_char: Mapped[int]
    start_s: Mapped[float]
    end_s: Mapped[float]
    language: Mapped[str | None]
    segment_text: Mapped[str | None]
    segment_role: Mapped[str | None]
    segment_labels: Mapped[list[Any] | None] = mapped_column(StoredJson())
    before_role: Mapped[str | None]
    before_text: Mapped[str | None]
    reviewed_at: Mapped[datetime]
