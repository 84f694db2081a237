"""Every setting of the service, read once from the environment and `.env`, and passed down."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.core.exceptions import ConfigurationError

NameList = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """One field a setting; the environment variable is the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True, env_ignore_empty=True
    )

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

    # Engines: one name, or a chain in order of preference
    stt_provider: NameList = Field(
        ("faster_whisper", "whisper", "pocketsphinx"),
        description=(
            "Speech to text: `faster_whisper`, `whisper`, `openai_api`, `pocketsphinx`, `scripted` (tests)."
        ),
    )
    sentiment_provider: NameList = Field(
        ("transformer", "embedding", "lexicon"),
        description="Sentiment: `transformer`, `embedding`, `lexicon`.",
    )
    tts_provider: NameList = Field(
        ("gtts", "pyttsx3"), description="Text to speech: `gtts`, `piper`, `pyttsx3`."
    )
    diarization_provider: NameList = Field(
        ("channel", "pyannote", "voiceprint", "pauses"),
        description="Who speaks: `channel` (one party a channel), `pyannote`, `voiceprint`, `pauses`.",
    )
    agent_channel: Literal[0, 1] | None = Field(
        None, description="Channel of the agent in two-channel recordings (0 or 1) where a call names none."
    )
    num_speakers: int | None = Field(
        None, ge=1, le=10, description="Speakers of each call where it names none: `auto` or 1 to 10."
    )
    pyannote_model: str = Field(
        "pyannote/speaker-diarization-community-1",
        description="Pipeline of the `pyannote` engine: a name or a folder.",
    )
    pyannote_model_dir: Path = Field(
        Path("./models/pyannote"), description="Folder where the pyannote pipeline is kept once fetched."
    )
    hf_token: SecretStr | None = Field(
        None, description="HuggingFace token, for weights whose conditions must be accepted."
    )
    whisper_model_size: str = Field(
        "base", description="Whisper size (`tiny` … `large-v3`, `turbo`) or the path of a checkpoint."
    )
    whisper_model_dir: Path = Field(Path("./models/whisper"), description="Folder of Whisper checkpoints.")
    vocabulary: NameList = Field(
        (), description="Comma-separated names that may be spoken (products, competitors): a hint to Whisper."
    )
    stt_compute_type: Literal["auto", "int8", "int8_float32", "int8_float16", "float16", "float32"] = Field(
        "auto", description="Arithmetic of `faster_whisper`; `auto` is float16 on a GPU, int8 on a CPU."
    )
    stt_api_base: str | None = Field(
        None, description="Server of `openai_api`: what comes before `/audio/transcriptions`."
    )
    stt_api_key: SecretStr | None = Field(None, description="Key for the server of `openai_api`.")
    stt_api_model: str = Field(
        "whisper-1", min_length=1, pattern=r"^[^\x00-\x1f]+$", description="Model that `openai_api` asks for."
    )
    stt_api_timeout_s: float = Field(
        120, gt=0, description="Seconds that `openai_api` may take for one window, retries included."
    )
    sentiment_enabled: bool = Field(True, description="`false` leaves both sentiment fields null.")
    sentiment_model: str = Field(
        "distilbert-base-uncased-finetuned-sst-2-english",
        description="HuggingFace model of the `transformer` engine: a name or a folder.",
    )
    sentiment_model_dir: Path = Field(
        Path("./models/sentiment"), description="Folder where the sentiment model is kept once fetched."
    )
    sentiment_model_multilingual: str = Field(
        "lxyuan/distilbert-base-multilingual-cased-sentiments-student",
        description="HuggingFace model for languages other than English: a name or a folder.",
    )
    sentiment_precision: Literal["auto", "fp32", "int8"] = Field(
        "auto",
        description="Arithmetic of `transformer`; `auto` is int8 on a CPU where the labels stay the same.",
    )
    piper_voice: Path | None = Field(
        None, description="Voice of the `piper` engine: its `.onnx` file, with the `.onnx.json` beside it."
    )
    scripted_transcript: Path | None = Field(
        None, description="Sidecar (JSON) that the `scripted` engine reads its transcript and faults from."
    )
    allow_external_engines: bool = Field(
        False, description="`true` lets words or audio of stored calls go to engines off this machine."
    )
    engine_threads: int = Field(0, ge=0, le=256, description="Threads of all engines together; 0 = cores.")
    engine_probe_interval_s: float = Field(
        300, gt=0, description="Seconds between two looks at which engines are usable."
    )

    # Moments
    playbook: str = Field("default", description="Name of the playbook whose rules find moments.")
    playbook_dir: Path | None = Field(
        None, description="Folder of your own playbooks (`NAME.yaml`), looked at before the built-in ones."
    )
    coachable_classifier: Literal["embedding", "none"] = Field(
        "embedding", description="What finds moments beside the rules: `embedding`, or `none`."
    )
    coachable_model_dir: Path | None = Field(
        None, description="Folder of a trained reader of your own, for `embedding`; unset: the built-in one."
    )
    coachable_confidence_threshold: float = Field(
        0.5, ge=0, le=1, description="Confidence from which a segment counts as coachable."
    )

    # Limits
    max_upload_size_mb: int = Field(50, ge=1, le=10_000, description="Largest recording taken, in MB (2^20).")
    max_audio_minutes: float = Field(240, gt=0, le=1440, description="Longest recording taken, in minutes.")
    max_tts_chars: int = Field(5000, ge=1, le=100_000, description="Longest text that `/speak` takes.")
    max_concurrent_calls: int = Field(2, ge=1, le=64, description="Calls in work at a time.")
    max_queued_calls: int = Field(20, ge=0, le=10_000, description="Calls that may wait; beyond it: 503.")
    upload_timeout_s: float = Field(
        30, gt=0, description="Seconds that an upload may stay under 1 KB/s before it is closed (408)."
    )
    decode_timeout_s: float = Field(300, gt=0, description="Seconds that decoding one recording may take.")
    decode_memory_mb: int = Field(
        768, ge=256, description="Address space that the decoder may use, in MB (Linux)."
    )
    call_deadline_min_s: float = Field(120, gt=0, description="Shortest deadline of a call, in seconds.")
    call_deadline_factor: float = Field(
        2.5, gt=0, description="Deadline of a call as a multiple of its length, where that is longer."
    )
    tts_timeout_s: float = Field(30, gt=0, description="Seconds that one synthesis may take.")
    tts_cache_mb: int = Field(
        200, ge=0, le=1_000_000, description="Spoken texts kept on disk, in MB (2^20); 0 keeps none."
    )
    tts_cache_hours: float = Field(24, gt=0, description="Hours after which a kept spoken text is removed.")
    engine_memory_mb: int = Field(
        0, ge=0, description="Memory that the engine process may take, in MB (Linux); 0: no limit."
    )

    # Work
    queue_url: str = Field(
        "",
        description=(
            "Broker that tells workers of waiting calls: `amqp://…` (RabbitMQ) or `redis://…`; empty: this "
            "process does the work itself."
        ),
    )
    queue_prefix: str = Field(
        "darwix",
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        description="What the names of this installation's queues at the broker begin with.",
    )
    heartbeat_s: float = Field(10, gt=0, description="Seconds between signs of life of a call in work.")
    lease_s: float = Field(
        30, gt=0, description="Seconds without one after which another worker takes the call."
    )
    reaper_s: float = Field(15, gt=0, description="Seconds between two looks for calls that were lost.")
    max_attempts: int = Field(
        3, ge=1, le=20, description="Times that a call is begun before it fails as `worker_lost`."
    )
    worker_max_calls: int = Field(
        1000,
        ge=0,
        description="Calls after which a worker, or the engine process, is replaced by a new one; 0: never.",
    )
    worker_metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port, on `HOST`, at which `python -m app worker` tells its own `/metrics`; 0: none.",
    )
    stop_grace_s: float = Field(
        20,
        ge=0,
        description="Seconds that calls in work may go on after SIGTERM before they are handed back.",
    )
    drain_s: float = Field(
        2,
        ge=0,
        le=60,
        description="Seconds after SIGTERM in which requests are still let in while `/ready` says 503.",
    )

    # Webhooks
    webhook_secret: SecretStr | None = Field(
        None, description="`whsec_…`: signs what is sent to the `webhook_url` of a call."
    )
    webhook_allowed_hosts: NameList = Field(
        (),
        description=(
            "Comma-separated hosts, `host:port` or networks (`10.0.0.0/8`) that webhooks may reach though "
            "they are not public or not https."
        ),
    )
    webhook_retention_days: int = Field(
        30, ge=1, le=3650, description="Days after which the record of a finished delivery is removed."
    )

    # Access
    host: str = Field("127.0.0.1", description="Address that `python -m app serve` binds.")
    port: int = Field(8000, ge=0, le=65535, description="Port that `python -m app serve` binds.")
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
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

    # Operation
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")
    ffmpeg_path: Path | None = Field(
        None, description="ffmpeg to use; unset: the system's, else the bundled one."
    )

    @field_validator(
        "stt_provider", "sentiment_provider", "tts_provider", "diarization_provider", "cors_origins",
        "allowed_hosts", "vocabulary", "webhook_allowed_hosts", mode="before",
    )  # fmt: skip
    @classmethod
    def _split_names(cls, value: object) -> object:
        return _split(value)

    @field_validator("agent_channel", mode="before")
    @classmethod
    def _channel(cls, value: object) -> object:
        return int(value) if value in ("0", "1") else value

    @field_validator("num_speakers", mode="before")
    @classmethod
    def _speaker_count(cls, value: object) -> object:
        return None if value == "auto" else value

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        return _split(value)

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("stt_provider", "sentiment_provider", "tts_provider", "diarization_provider")
    @classmethod
    def _at_least_one(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("at least one engine must be named")
        return tuple(dict.fromkeys(value))

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

    @field_validator("queue_url")
    @classmethod
    def _known_broker(cls, value: str) -> str:
        if value and not re.match(r"(amqps?|rediss?)://", value):
            raise ValueError("must start with amqp://, amqps://, redis:// or rediss://")
        return value

    @model_validator(mode="after")
    def _lease_outlives_heartbeat(self) -> Self:
        if self.lease_s < 2 * self.heartbeat_s:
            raise ValueError("LEASE_S must be at least twice HEARTBEAT_S")
        return self

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

    @field_validator("cors_origins")
    @classmethod
    def _whole_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if origin != "*" and (not parts.scheme or not parts.netloc or parts.path):
                raise ValueError(f"{origin!r} is no origin such as https://crm.example.com")
        return value

    @property
    def max_upload_bytes(self) -> int:
        return self.max_upload_size_mb * 1024 * 1024

    @property
    def max_audio_s(self) -> float:
        return self.max_audio_minutes * 60

    @property
    def threads(self) -> int:
        """Threads that all engines together may use."""
        return self.engine_threads or available_cores()


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def available_cores() -> int:
    """Cores that this process may run on (a container's or taskset's share counts)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
