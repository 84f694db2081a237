"""Who took part in a call: speakers, their roles, and what a reviewer corrected about them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    AGENT = "agent"
    CUSTOMER = "customer"
    UNKNOWN = "unknown"


class RoleSource(StrEnum):
    """What a role rests on. ``none``: nothing told it, and it is unknown."""

    CHANNEL = "channel"
    METADATA = "metadata"
    WORDS = "words"
    MANUAL = "manual"
    NONE = "none"


@dataclass(frozen=True)
class Speaker:
    """One voice of a call. ``id`` is ``speaker_0``, ``speaker_1`` … in order of appearance.

    ``role_confidence`` is in [0, 1], and 0 while the role is unknown. ``channel`` is the channel in
    which this speaker was heard, None where the recording was heard as one signal.
    """

    id: str
    role: Role = Role.UNKNOWN
    role_confidence: float = 0.0
    role_source: RoleSource = RoleSource.NONE
    name: str | None = None
    channel: int | None = None


@dataclass(frozen=True)
class NameSpeaker:
    """Give a speaker a name, or take it away (None)."""

    speaker: str
    name: str | None


@dataclass(frozen=True)
class SetRole:
    speaker: str
    role: Role


@dataclass(frozen=True)
class SwapSpeakers:
    """Exchange the roles and the names of two speakers."""

    first: str
    second: str


@dataclass(frozen=True)
class MergeSpeakers:
    """What ``speaker`` said was said by ``into``."""

    speaker: str
    into: str


SpeakerEdit = NameSpeaker | SetRole | SwapSpeakers | MergeSpeakers
"""One correction by a reviewer."""
