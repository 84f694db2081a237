"""A process that takes calls from queues, as it is known to others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.schemas.call import Queue


class WorkerState(StrEnum):
    """``unfit``: no usable engine for its queues. ``deaf``: calls wait that it has room for and was told of,
    and it hears nothing."""

    READY = "ready"
    UNFIT = "unfit"
    DEAF = "deaf"


@dataclass(frozen=True)
class WorkerRecord:
    """One row of workers. ``claimed_at``: when it last took a call."""

    owner: str
    queues: tuple[Queue, ...]
    state: WorkerState
    started_at: datetime
    heartbeat_at: datetime
    claimed_at: datetime | None
