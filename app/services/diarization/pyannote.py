"""Speakers by pyannote.audio, where somebody has installed it and its gated weights are here.

Its weights are pickles, which run code when they are read: name only a pipeline that you trust.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from app.core.config import Settings
from app.core.exceptions import AppError, EngineUnavailable, StageFailed
from app.core.hub import HUB_URL, fetch_folder, hub_answers
from app.core.registry import install_hint, missing_module
from app.schemas.audio import SAMPLE_RATE, ChannelLayout
from app.schemas.engine import Availability, Capabilities, EngineState
from app.schemas.transcript import Turn
from app.services.diarization.base import MOST_SPEAKERS, DiarizationRequest

log = logging.getLogger(__name__)

PROBE_TIMEOUT_S = 2.0
CONFIG = "config.yaml"
WANTED = (CONFIG, "*.bin", "*.npz", "*.safetensors")
PART = "$model/"
"""How a pipeline's configuration names a part that lies beside it."""
PARTS = ("segmentation", "embedding", "plda")
COPY_FIX = "or copy the pipeline and name its folder in PYANNOTE_MODEL"


class PyannoteEngine:
    """``PYANNOTE_MODEL`` through ``pyannote.audio.Pipeline``; reads its weights from the disk only.

    The recording is handed over in memory: pyannote's own decoder is never used. One call at a time.
    """

    name = "pyannote"
    capabilities = Capabilities(opt_in=True)
    hub_url: ClassVar[str] = HUB_URL

    def __init__(self, settings: Settings) -> None:
        self._threads = settings.threads
        self._token = settings.hf_token.get_secret_value() if settings.hf_token else None
        model = settings.pyannote_model
        given = Path(os.path.expanduser(model))  # noqa: PTH111 (Path.expanduser raises for unknown users)
        self._from_hub = not (given.is_dir() or given.is_absolute() or model.startswith((".", "~")))
        self._model = model if self._from_hub else given.resolve().name
        self._folder = settings.pyannote_model_dir / model.replace("/", "--") if self._from_hub else given
        self._lock = threading.Lock()
        self._pipeline: Any = None

    @property
    def label(self) -> str:
        return f"{self.name}:{self._model}"

    def availability(self) -> Availability:
        missing = missing_module("pyannote") or missing_module("pyannote.audio", "huggingface_hub")
        if missing:
            return Availability.not_installed("pyannote.audio is not installed", install_hint(self.name))
        if is_complete(self._folder):
            return Availability.ready()
        if not self._from_hub:
            return Availability.unavailable(
                "the folder that PYANNOTE_MODEL names has no complete pipeline",
                f"put {CONFIG} and the parts that it names there",
            )
        accept = f"accept the conditions at {self.hub_url}/{self._model}"
        if self._token is None:
            return Availability.unavailable(
                "its weights are gated and HF_TOKEN is not set",
                f"{accept}, set HF_TOKEN and run python -m app fetch-models; {COPY_FIX}",
            )
        fix = f"{accept}, then run python -m app fetch-models with a network; {COPY_FIX}"
        if hub_answers(self.hub_url, PROBE_TIMEOUT_S):
            return Availability.fetchable("its weights are not on this machine yet", fix)
        return Availability.unavailable(
            "its weights are not on this machine and the model hub cannot be reached", fix
        )

    def fetch(self) -> None:
        seen = self.availability()
        if seen.state is EngineState.READY:
            return
        if seen.state is EngineState.UNAVAILABLE:
            raise StageFailed("diarization", f"{seen.reason}; {seen.fix}")
        fetch_folder(
            "diarization", self._model, self._folder,
            patterns=WANTED, is_complete=is_complete, hub_url=self.hub_url, token=self._token,
        )  # fmt: skip
        log.info("diarization.fetched", extra={"engine": self.label})

    def load(self) -> None:
        """Raises EngineUnavailable where library or weights are missing, or do not go together."""
        with self._lock:
            if self._pipeline is not None:
                return
            seen = self.availability()
            if seen.state is not EngineState.READY:
                raise EngineUnavailable("diarization", f"{self.label}: {seen.reason} ({seen.fix})")
            try:
                self._pipeline = self._load()
            except AppError:
                raise
            except Exception as error:
                log.warning("diarization.load_failed", extra={"engine": self.label}, exc_info=True)
                raise EngineUnavailable(
                    "diarization", f"{self.label} cannot be loaded: {type(error).__name__}"
                ) from error

    def unfit(self, layout: ChannelLayout) -> str | None:  # noqa: ARG002
        """It listens to one signal, whatever the channels hold."""
        return None

    def diarize(self, request: DiarizationRequest) -> tuple[Turn, ...]:
        if not request.transcript.words:
            return ()
        self.load()
        import torch

        (voice,) = request.layout.voices
        recording = {"waveform": torch.from_numpy(voice.read())[None], "sample_rate": SAMPLE_RATE}
        wanted = (
            {"num_speakers": request.num_speakers}
            if request.num_speakers
            else {"min_speakers": 1, "max_speakers": MOST_SPEAKERS}
        )
        with self._lock, warnings.catch_warnings():
            # It warns of recordings too short for the number of speakers that was asked for.
            warnings.simplefilter("ignore")
            answer = self._pipeline(recording, **wanted)
        # Versions before 4, and pipelines marked as legacy, answer with the annotation alone.
        turns = _read(getattr(answer, "speaker_diarization", answer), voice.duration_s)
        words = request.transcript.words
        return turns or (Turn(0, words[0].start_s, max(word.end_s for word in words)),)

    def _load(self) -> Any:
        # It reports its use home otherwise, and reads this when it is imported.
        os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
        with warnings.catch_warnings():
            # It warns that its own decoder does not work.
            warnings.simplefilter("ignore")
            import torch
            from pyannote.audio import Pipeline

            torch.set_num_threads(self._threads)
            pipeline = Pipeline.from_pretrained(self._folder / CONFIG)
        if pipeline is None:
            raise EngineUnavailable("diarization", f"{self.label} is no pipeline")
        return pipeline


def is_complete(folder: Path) -> bool:
    """Whether the pipeline's configuration and all the parts that it names are there. Reads no weights."""
    import yaml

    try:
        config = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
        parts = config["pipeline"].get("params", {})
        named = [parts[name] for name in PARTS if isinstance(parts.get(name), str)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
        return False
    return all(_is_here(folder, part) for part in named)


def _is_here(folder: Path, part: str) -> bool:
    place = folder / part.removeprefix(PART) if part.startswith(PART) else Path(part)
    return place.is_file() or (place.is_dir() and any(place.iterdir()))


def _read(annotation: Any, duration_s: float) -> tuple[Turn, ...]:
    """The annotation's turns inside the recording in order, speakers numbered as they appear."""
    labels: dict[Any, int] = {}
    return tuple(
        Turn(labels.setdefault(label, len(labels)), start_s, end_s)
        for start_s, end_s, label in sorted(_tracks(annotation, duration_s), key=lambda track: track[:2])
    )


def _tracks(annotation: Any, duration_s: float) -> Iterator[tuple[float, float, Any]]:
    for segment, _, label in annotation.itertracks(yield_label=True):
        start_s, end_s = max(0.0, float(segment.start)), min(duration_s, float(segment.end))
        if start_s < end_s:
            yield start_s, end_s, label
