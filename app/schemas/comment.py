"""What a reviewer says at a time of a call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


@dataclass(frozen=True)
class Comment:
    """``time_s``: the place in the recording that it is about, in seconds from its start."""

    id: str
    call_id: str
    time_s: float
    text: str
    author: str | None
    created_at: datetime
    updated_at: datetime


class Keep(Enum):
    """Stands for what stays as it is where None takes something away."""

    KEEP = "keep"


@dataclass(frozen=True)
class CommentChange:
    """What is to be another about a comment; an ``author`` of None takes the name away."""

    time_s: float | None = None
    text: str | None = None
    author: str | Keep | None = Keep.KEEP
