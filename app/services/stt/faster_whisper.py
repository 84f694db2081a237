"""Whisper on CTranslate2 (the faster-whisper package), from the same checkpoints as the reference engine."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from app.core.exceptions import StageFailed, UnsupportedLanguage
from app.core.registry import install_hint, missing_module
from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Transcript
from app.services.stt.ctranslate2_weights import CTranslate2Weights
from app.services.stt.whisper_dialect import filled, iso_code, whisper_code, words_of
from app.services.stt.window_decoding import FRAMES, Window, WindowDecoder

if TYPE_CHECKING:
    from pathlib import Path

    from app.core.config import Settings
    from app.services.stt.base import SttRequest

log = logging.getLogger(__name__)

BATCH = 8
"""Windows taken at once, in all lanes together: their keys and values are what decoding has in memory."""
MOST_LANES = 4
"""Decoding a few windows does not get quicker with a second thread, two lanes of half as many do."""
PREFERRED_TYPES = {"cuda": ("float16", "float32"), "cpu": ("int8", "float32")}
"""What ``STT_COMPUTE_TYPE=auto`` takes: the first that the device can do."""


class FasterWhisperEngine:
    """Whisper several times faster. ``WHISPER_MODEL_SIZE``: a size, a checkpoint or a CTranslate2 folder."""

    name = "faster_whisper"

    def __init__(self, settings: Settings) -> None:
        self._weights = CTranslate2Weights(settings)
        self._threads = settings.threads
        self._lanes = min(MOST_LANES, settings.threads)
        self._compute_type = settings.stt_compute_type
        self._model: Any = None
        self._decoders: tuple[WindowDecoder, ...] = ()
        self.capabilities = Capabilities(languages=self._weights.checkpoint.languages, batch=BATCH)

    @property
    def label(self) -> str:
        return f"faster_whisper:{self._weights.checkpoint.name}"

    def availability(self) -> Availability:
        missing = missing_module("faster_whisper", "ctranslate2")
        if missing is not None:
            return Availability.not_installed(f"{missing} is not installed", install_hint("faster_whisper"))
        return self._weights.availability()

    def fetch(self) -> None:
        """Download the checkpoint into ``WHISPER_MODEL_DIR`` and convert it. Raises StageFailed."""
        self._weights.fetch(self.label)

    def load(self) -> None:
        """Convert the checkpoint where that was not done yet, and open the model. Raises StageFailed."""
        if self._model is not None:
            return
        import ctranslate2
        from faster_whisper.feature_extractor import FeatureExtractor

        folder = self._weights.folder(self.label)
        model = self._opened(folder, "cuda" if ctranslate2.get_cuda_device_count() else "cpu")
        # By the model: a folder from elsewhere may lack the file that says how many bands it takes.
        model.feature_extractor = FeatureExtractor(feature_size=model.model.n_mels)
        self._decoders = tuple(WindowDecoder(model) for _ in range(model.model.num_workers))
        self._model = model

    def transcribe(self, request: SttRequest) -> Transcript:
        """Raises UnsupportedLanguage where an English-only checkpoint is asked for another language."""
        return self.transcribe_many([request])[0]

    def transcribe_many(self, requests: Sequence[SttRequest]) -> tuple[Transcript, ...]:
        """Raises UnsupportedLanguage as ``transcribe`` does."""
        self.load()
        return tuple(
            transcript
            for first in range(0, len(requests), BATCH)
            for transcript in self._heard(requests[first : first + BATCH])
        )

    def _heard(self, requests: Sequence[SttRequest]) -> list[Transcript]:
        """What each holds, the requests dealt out to the lanes."""
        lanes = min(len(self._decoders), len(requests))
        dealt = [requests[lane::lanes] for lane in range(lanes)]
        heard: list[Transcript] = [Transcript((), None)] * len(requests)
        with ThreadPoolExecutor(lanes, thread_name_prefix="stt-lane") as pool:
            for lane, transcripts in enumerate(pool.map(self._hear, self._decoders, dealt)):
                heard[lane::lanes] = transcripts
        return heard

    def _hear(self, decoder: WindowDecoder, requests: Sequence[SttRequest]) -> list[Transcript]:
        windows = [self._window(request) for request in requests]
        decoder.hear([window for window in windows if window is not None])
        return list(map(_transcript, requests, windows))

    def _window(self, request: SttRequest) -> Window | None:
        if not self._model.model.is_multilingual and request.language not in (None, "en"):
            raise UnsupportedLanguage(f"{self.label} is for English only")
        if len(request.samples) == 0:
            return None
        features = self._model.feature_extractor(filled(request.samples))
        language = request.language and whisper_code(request.language)
        return Window(features, language, request.vocabulary)

    def _opened(self, folder: Path, device: str) -> Any:
        """The model on ``device``; on the CPU where the GPU cannot run it and nothing else was asked for."""
        try:
            model = self._open(folder, device)
            if device == "cuda":
                # The first use loads the libraries of the GPU, of which any may be missing.
                WindowDecoder(model).hear([Window(_silence(model.model.n_mels), "en")])
        except RuntimeError as error:
            if device == "cpu" or self._compute_type != "auto":
                raise
            log.warning("stt.gpu_unusable", extra={"engine": self.label, "error": str(error)})
            return self._open(folder, "cpu")
        return model

    def _open(self, folder: Path, device: str) -> Any:
        from faster_whisper import WhisperModel

        lanes = self._lanes if device == "cpu" else 1
        return WhisperModel(
            str(folder),
            device=device,
            compute_type=self._chosen_type(device),
            cpu_threads=self._threads // lanes,
            num_workers=lanes,
            local_files_only=True,
        )

    def _chosen_type(self, device: str) -> str:
        import ctranslate2

        able = ctranslate2.get_supported_compute_types(device)
        if self._compute_type == "auto":
            return next((each for each in PREFERRED_TYPES[device] if each in able), "default")
        if self._compute_type not in able:
            raise StageFailed(
                "stt",
                f"STT_COMPUTE_TYPE: {self._compute_type} cannot be done on this machine's {device}; "
                f"auto or one of {', '.join(sorted(able))}",
            )
        return self._compute_type


def _silence(bands: int) -> Any:
    import numpy as np

    return np.zeros((bands, FRAMES + 1), dtype=np.float32)


def _transcript(request: SttRequest, window: Window | None) -> Transcript:
    if window is None or window.language is None:
        return Transcript((), request.language)
    language = request.language or iso_code(window.language)
    return Transcript(tuple(words_of(window.segments)), language, window.confidence)
