"""Where calls, recordings and working copies are kept, and for how long."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator


class StorageSettings(BaseModel):
    # Where things are kept
    database_url: str = Field(
        "sqlite:///./darwix.db",
        description="Database: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`.",
    )
    database_read_url: str | None = Field(
        None,
        description=(
            "A read replica of it (PostgreSQL): lists, tables and counts are read there, "
            "and from the primary while it is away."
        ),
    )
    db_pool_size: int = Field(5, ge=1, le=100, description="Open connections kept (PostgreSQL).")
    db_max_overflow: int = Field(10, ge=0, le=100, description="Connections beyond the pool (PostgreSQL).")
    storage_url: str = Field(
        "file://./data", description="Where recordings are kept: `file://FOLDER` or `s3://BUCKET/PREFIX`."
    )
    s3_endpoint_url: str | None = Field(
        None, description="Address of an S3-compatible server; unset: Amazon's, or `AWS_ENDPOINT_URL`."
    )
    s3_region: str | None = Field(None, description="Region of the bucket; unset: as for the AWS tools.")
    s3_access_key_id: SecretStr | None = Field(
        None, description="Key for the bucket; unset: `AWS_ACCESS_KEY_ID`, `~/.aws`, the machine's role."
    )
    s3_secret_access_key: SecretStr | None = Field(None, description="The secret of `S3_ACCESS_KEY_ID`.")
    work_dir: Path | None = Field(
        None,
        description=(
            "Folder of working copies and spoken texts; unset: the folder of `STORAGE_URL`, "
            "with `s3://` the system's temporary one."
        ),
    )

    audio_retention_days: int | None = Field(
        None, ge=1, le=36_500, description="Days after which a recording is removed; unset: kept."
    )
    text_retention_days: int | None = Field(
        None, ge=1, le=36_500, description="Days after which the words of a call are removed; unset: kept."
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        scheme = value.split("://", 1)[0].split("+", 1)[0]
        if "://" not in value or scheme not in ("sqlite", "postgresql", "postgres"):
            raise ValueError("must start with sqlite:// or postgresql://")
        return value

    @model_validator(mode="after")
    def _replica_of_postgresql(self) -> Self:
        addresses = [address for address in (self.database_url, self.database_read_url) if address]
        if len(addresses) == 2 and not all(address.startswith("postgres") for address in addresses):
            raise ValueError("DATABASE_READ_URL and DATABASE_URL must both start with postgresql://")
        return self

    @field_validator("storage_url")
    @classmethod
    def _known_storage(cls, value: str) -> str:
        if not re.fullmatch(r"file://.+|s3://[A-Za-z0-9._-]{3,63}(/[A-Za-z0-9!_.*'()/-]*)?", value):
            raise ValueError("must be file://FOLDER or s3://BUCKET/PREFIX")
        return value

    @field_validator("s3_endpoint_url")
    @classmethod
    def _whole_endpoint(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^/@?#\s]+(/[^@?#\s]*)?", value):
            raise ValueError("must be http://HOST or https://HOST, without name and password")
        return value

    @model_validator(mode="after")
    def _whole_s3_key(self) -> Self:
        if (self.s3_access_key_id is None) != (self.s3_secret_access_key is None):
            raise ValueError("S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY are needed together")
        return self
