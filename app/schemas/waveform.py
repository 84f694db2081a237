"""How loud a recording is from moment to moment, to be drawn."""

from __future__ import annotations

from dataclasses import dataclass

from app.schemas.metrics import NonTalk
from app.schemas.speaker import Role

FULL_SCALE = 255


@dataclass(frozen=True)
class Peaks:
    """The largest sample of each ``step_s`` seconds, by channel as recorded: a byte, 255 is full scale."""

    step_s: float
    channels: tuple[bytes, ...]


@dataclass(frozen=True)
class PartyWaveform:
    """``peaks``: in [0, 1], one a step. ``channel``: where the party was heard, None: in a mix."""

    speaker: str
    role: Role
    name: str | None
    channel: int | None
    peaks: tuple[float, ...]


@dataclass(frozen=True)
class Waveform:
    """Each party by itself, and the ``silences`` in which nobody speaks for 3 s and longer."""

    call_id: str
    duration_s: float
    step_s: float
    parties: tuple[PartyWaveform, ...]
    silences: tuple[NonTalk, ...]
