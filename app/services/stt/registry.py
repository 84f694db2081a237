"""The speech-to-text engines by name."""

from app.core.registry import Registry
from app.services.stt.base import SttEngine

STT_ENGINES: Registry[SttEngine] = Registry(
    "speech-to-text engine",
    {
        "faster_whisper": "app.services.stt.faster_whisper:FasterWhisperEngine",
        "whisper": "app.services.stt.whisper:WhisperEngine",
        "openai_api": "app.services.stt.openai_api:OpenaiApiEngine",
        "pocketsphinx": "app.services.stt.pocketsphinx:PocketsphinxEngine",
        "scripted": "app.services.stt.scripted:ScriptedEngine",
    },
)
