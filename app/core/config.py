"""Every setting of the service, read once from the environment and `.env`, and passed down."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.exceptions import ConfigurationError
from app.core.settings.access import AccessSettings
from app.core.settings.engines import EngineSettings
from app.core.settings.limits import LimitSettings
from app.core.settings.storage import StorageSettings
from app.core.settings.values import available_cores
from app.core.settings.work import WorkSettings

__all__ = ["Settings", "available_cores", "load_settings"]


class Settings(StorageSettings, EngineSettings, LimitSettings, WorkSettings, AccessSettings, BaseSettings):
    """One field a setting; the environment variable is the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True, env_ignore_empty=True
    )


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; raises ConfigurationError that names each bad variable and why."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = [
            f"{str(problem['loc'][0]).upper() if problem['loc'] else 'settings'}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise ConfigurationError("bad setting: " + "; ".join(problems)) from None
