"""The HTTP vocabulary of waveforms."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.metrics import NonTalk
from app.schemas.speaker import Role
from app.schemas.waveform import PartyWaveform, Waveform

EXAMPLE: dict[str, Any] = {
    "call_id": "CALL-001",
    "duration_seconds": 8.2,
    "step_seconds": 2.05,
    "parties": [
        {
            "speaker": "speaker_0",
            "role": "agent",
            "name": "Emily",
            "channel": 0,
            "peaks": [0.412, 0.0, 0.098, 0.502],
        },
        {
            "speaker": "speaker_1",
            "role": "customer",
            "name": None,
            "channel": 1,
            "peaks": [0.0, 0.633, 0.21, 0.0],
        },
    ],
    "silences": [{"start_time": 5.0, "end_time": 8.2, "dead_air": False, "place": "end"}],
}


class PartyWaveformModel(BaseModel):
    """One party. On a channel of its own all of that channel, else the recording while the party speaks."""

    speaker: str
    role: Role
    name: str | None
    channel: int | None
    peaks: list[float] = Field(
        description="0 to 1; the n-th, counted from 0, begins n × `step_seconds` after the recording does."
    )

    @classmethod
    def of(cls, party: PartyWaveform) -> PartyWaveformModel:
        return cls(
            speaker=party.speaker,
            role=party.role,
            name=party.name,
            channel=party.channel,
            peaks=list(party.peaks),
        )


class SilenceModel(BaseModel):
    """Nobody speaks for 3 s and longer; from 5 s on that is `dead_air`."""

    start_time: float
    end_time: float
    dead_air: bool
    place: Literal["start", "between", "end", "whole"]

    @classmethod
    def of(cls, silence: NonTalk) -> SilenceModel:
        return cls(
            start_time=silence.start_s,
            end_time=silence.end_s,
            dead_air=silence.dead_air,
            place=silence.place,
        )


class WaveformModel(BaseModel):
    """How loud each party is from moment to moment: 4,000 steps at most, however long the call."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    call_id: str
    duration_seconds: float
    step_seconds: float
    parties: list[PartyWaveformModel]
    silences: list[SilenceModel]

    @classmethod
    def of(cls, waveform: Waveform) -> WaveformModel:
        return cls(
            call_id=waveform.call_id,
            duration_seconds=round(waveform.duration_s, 3),
            step_seconds=waveform.step_s,
            parties=[PartyWaveformModel.of(party) for party in waveform.parties],
            silences=[SilenceModel.of(silence) for silence in waveform.silences],
        )
