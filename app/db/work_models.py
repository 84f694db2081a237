"""The tables of work under way: what was heard so far, keys of requests, and who is at work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models import Base
from app.db.types import IdText


class CheckpointRow(Base):
    """What the stages that need the recording have found in a call so far, as JSON."""

    __tablename__ = "checkpoints"

    call_id: Mapped[str] = mapped_column(
        IdText, ForeignKey("calls.call_id", ondelete="CASCADE"), primary_key=True
    )
    heard: Mapped[str]
    created_at: Mapped[datetime]


class IdempotencyKeyRow(Base):
    """A key that a client sent with a request, and the call that came of it."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index("ix_idempotency_keys_call_id", "call_id"),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )

    key: Mapped[str] = mapped_column(IdText, primary_key=True)
    fingerprint: Mapped[str]
    call_id: Mapped[str] = mapped_column(IdText, ForeignKey("calls.call_id", ondelete="CASCADE"))
    created_at: Mapped[datetime]


class WorkerRow(Base):
    """A process that takes calls from queues, whether it can, and when it last took one."""

    __tablename__ = "workers"

    owner: Mapped[str] = mapped_column(IdText, primary_key=True)
    queues: Mapped[list[Any]]
    state: Mapped[str]
    started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
