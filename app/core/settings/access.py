"""Who may reach the service, and how it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from app.core.settings.values import NameList, split_names


class AccessSettings(BaseModel):
    # Access
    host: str = Field("127.0.0.1", description="Address that `python -m app serve` binds.")
    port: int = Field(8000, ge=0, le=65535, description="Port that `python -m app serve` binds.")
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(split_names)] = Field(
        (), description="Comma-separated keys; when set, `Authorization: Bearer …` is needed."
    )
    allow_no_auth: bool = Field(
        False, description="`true` allows other addresses than loopback without keys."
    )
    cors_origins: NameList = Field((), description="Comma-separated origins whose pages may use the API.")
    allowed_hosts: NameList = Field(
        (),
        description="Host names (beside `localhost`) under which a service without keys answers on loopback.",
    )

    forwarded_allow_ips: NameList = Field(
        ("127.0.0.1",),
        description="Comma-separated addresses and networks of proxies that are believed who asks,"
        " and whether by https (`X-Forwarded-For`, `X-Forwarded-Proto`); `*`: anybody.",
    )

    # Operation
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")
    ffmpeg_path: Path | None = Field(
        None, description="ffmpeg to use; unset: the system's, else the bundled one."
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("cors_origins")
    @classmethod
    def _whole_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if origin != "*" and (not parts.scheme or not parts.netloc or parts.path):
                raise ValueError(f"{origin!r} is no origin such as https://crm.example.com")
        return value
