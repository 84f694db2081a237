"""The table of calls in numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models import Base, ResultId
from app.db.types import IdText


class CallFigureRow(Base):
    """The figures of a call's current result, small enough that thousands are read at once.

    ``agent_id``, ``team_id`` and ``held_at`` are the call's, so that no wide row is looked at; it is
    written whenever a result becomes the current one, and goes with either.
    """

    __tablename__ = "call_figures"
    __table_args__ = (
        Index("ix_call_figures_result_id", "result_id"),
        Index("ix_call_figures_held", "held_at"),
        Index("ix_call_figures_agent", "agent_id", "held_at"),
        Index("ix_call_figures_team", "team_id", "held_at"),
    )

    call_id: Mapped[str] = mapped_column(
        IdText, ForeignKey("calls.call_id", ondelete="CASCADE"), primary_key=True
    )
    result_id: Mapped[int] = mapped_column(ResultId, ForeignKey("results.id", ondelete="CASCADE"))
    agent_id: Mapped[str | None] = mapped_column(IdText)
    team_id: Mapped[str | None] = mapped_column(IdText)
    held_at: Mapped[datetime]
    share_of_speech: Mapped[float | None]
    patience_s: Mapped[float | None]
    longest_monologue_s: Mapped[float | None]
    agent_interruptions: Mapped[int | None]
    customer_interruptions: Mapped[int | None]
    sentiment_shift: Mapped[float | None]
    moments: Mapped[dict[str, Any]]
    objections: Mapped[list[Any]]
