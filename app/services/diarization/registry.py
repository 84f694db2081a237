"""The diarization engines by name."""

from app.core.registry import Registry
from app.services.diarization.base import DiarizationEngine

DIARIZATION_ENGINES: Registry[DiarizationEngine] = Registry(
    "diarization engine",
    {
        "channel": "app.services.diarization.channel:ChannelEngine",
        "pyannote": "app.services.diarization.pyannote:PyannoteEngine",
        "voiceprint": "app.services.diarization.voiceprint:VoiceprintEngine",
        "pauses": "app.services.diarization.pauses:PausesEngine",
    },
)
