"""The table of what waveforms are drawn from."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models import Base
from app.db.types import IdText


class PeaksRow(Base):
    """The peaks of a call's recording, a byte a step, one channel after the other.

    They hold no words, so they stay when recording and words go, until the call does.
    """

    __tablename__ = "peaks"

    call_id: Mapped[str] = mapped_column(
        IdText, ForeignKey("calls.call_id", ondelete="CASCADE"), primary_key=True
    )
    step_s: Mapped[float]
    channel_count: Mapped[int]
    levels: Mapped[bytes] = mapped_column(LargeBinary())
