"""Which engines hear, tell speakers apart, judge and speak, and what each of them needs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, SecretStr, field_validator

from app.core.settings.values import NameList, available_cores


class EngineSettings(BaseModel):
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

    @field_validator("agent_channel", mode="before")
    @classmethod
    def _channel(cls, value: object) -> object:
        return int(value) if value in ("0", "1") else value

    @field_validator("num_speakers", mode="before")
    @classmethod
    def _speaker_count(cls, value: object) -> object:
        return None if value == "auto" else value

    @field_validator("stt_provider", "sentiment_provider", "tts_provider", "diarization_provider")
    @classmethod
    def _at_least_one(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("at least one engine must be named")
        return tuple(dict.fromkeys(value))

    @property
    def threads(self) -> int:
        """Threads that all engines together may use."""
        return self.engine_threads or available_cores()
