"""Settings for tests: nothing from the environment, everything under one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.core.config import Settings


def make_settings(folder: Path, **overrides: Any) -> Settings:
    """Settings with their data under ``folder``; `scripted` needs ``scripted_transcript``."""
    values: dict[str, Any] = {
        "database_url": f"sqlite:///{folder}/calls.db",
        "storage_url": f"file://{folder}/data",
        "whisper_model_dir": folder / "models" / "whisper",
        "sentiment_model_dir": folder / "models" / "sentiment",
        "stt_provider": ("scripted",),
        "sentiment_provider": ("lexicon",),
        "coachable_classifier": "none",
        "tts_provider": ("pyttsx3",),
        "log_level": "WARNING",
        "engine_probe_interval_s": 3600,
    }
    return Settings.model_validate({**_DEFAULTS, **values, **overrides})


_DEFAULTS = {name: field.get_default() for name, field in Settings.model_fields.items()}
