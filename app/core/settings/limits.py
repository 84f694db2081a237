"""What counts as a moment, and how large, long and slow anything may be."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field


class LimitSettings(BaseModel):
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
    reel_cache_mb: int = Field(
        1024,
        ge=1,
        le=1_000_000,
        description="Rendered reels kept in the storage, in MB (2^20).",
    )
    reel_cache_hours: float = Field(
        168, gt=0, le=87_600, description="Hours after which a rendered reel is removed."
    )
    engine_memory_mb: int = Field(
        0, ge=0, description="Memory that the engine process may take, in MB (Linux); 0: no limit."
    )

    @property
    def max_upload_bytes(self) -> int:
        return self.max_upload_size_mb * 1024 * 1024

    @property
    def max_audio_s(self) -> float:
        return self.max_audio_minutes * 60
