"""The text-to-speech engines by name."""

from app.core.registry import Registry
from app.services.tts.base import TtsEngine

TTS_ENGINES: Registry[TtsEngine] = Registry(
    "text-to-speech engine",
    {
        "gtts": "app.services.tts.gtts:GttsEngine",
        "piper": "app.services.tts.piper:PiperEngine",
        "pyttsx3": "app.services.tts.pyttsx3:Pyttsx3Engine",
    },
)
