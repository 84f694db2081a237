"""OpenAI's Whisper in its reference implementation (the openai-whisper package)."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import socket
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from app.core.exceptions import ConfigurationError, StageFailed, UnsupportedLanguage
from app.core.reach import is_reachable
from app.core.registry import install_hint, missing_module
from app.schemas.audio import SAMPLE_RATE
from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Transcript, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from app.core.config import Settings
    from app.services.stt.base import SttRequest

log = logging.getLogger(__name__)

SIZES = {
    "tiny": "tiny.pt", "tiny.en": "tiny.en.pt", "base": "base.pt", "base.en": "base.en.pt",
    "small": "small.pt", "small.en": "small.en.pt", "medium": "medium.pt", "medium.en": "medium.en.pt",
    "large-v1": "large-v1.pt", "large-v2": "large-v2.pt", "large-v3": "large-v3.pt", "large": "large-v3.pt",
    "large-v3-turbo": "large-v3-turbo.pt", "turbo": "large-v3-turbo.pt",
}  # fmt: skip
"""File of each size. Written down here, because to ask the library is to import torch."""

_SPOKEN = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht "
    "hu hy id is it ja jv ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl "
    "ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo zh"
)
LANGUAGES = frozenset(_SPOKEN.split())
"""What the multilingual checkpoints speak."""

_WHISPER_CODE = {"jv": "jw"}
"""ISO 639-1 codes that Whisper writes in its own way."""
_ISO_CODE = {own: iso for iso, own in _WHISPER_CODE.items()}

SHORTEST_S = 1.0
"""Shorter samples are filled with silence: the word aligner needs a few frames to work on."""
SEED = 0
HOW_TO_FETCH = (
    "put the checkpoint into WHISPER_MODEL_DIR: python -m app fetch-models on a machine with internet access"
)
STALLED_AFTER_S = 60.0


class WhisperEngine:
    """Whisper on this machine. ``WHISPER_MODEL_SIZE`` is one of ``SIZES`` or the path of a checkpoint."""

    name = "whisper"
    download_host: ClassVar[tuple[str, int]] = ("openaipublic.azureedge.net", 443)
    connect_timeout_s: ClassVar[float] = 2.0

    def __init__(self, settings: Settings) -> None:
        choice = settings.whisper_model_size
        self._size = choice if choice in SIZES else None
        if self._size is None and not _is_path(choice):
            raise ConfigurationError(
                f"WHISPER_MODEL_SIZE: {choice!r} is neither the path of a checkpoint nor a size such as "
                "tiny, base, base.en, small, medium, large-v3, turbo"
            )
        self._directory = settings.whisper_model_dir.expanduser()
        self._checkpoint = self._directory / SIZES[choice] if self._size else Path(choice).expanduser()
        self._threads = settings.threads
        self._model: Any = None
        spoken = frozenset({"en"}) if self._checkpoint.stem.endswith(".en") else LANGUAGES
        self.capabilities = Capabilities(languages=spoken)

    @property
    def label(self) -> str:
        return f"whisper:{self._size or self._checkpoint.stem}"

    def availability(self) -> Availability:
        missing = missing_module("whisper", "torch")
        if missing is not None:
            return Availability.unavailable(f"{missing} is not installed", install_hint("whisper"))
        if self._checkpoint.is_file():
            return Availability.ready()
        if self._size is None:
            return Availability.unavailable(
                "there is no checkpoint at the path in WHISPER_MODEL_SIZE",
                "correct WHISPER_MODEL_SIZE or put the file there",
            )
        if is_reachable(*self.download_host, self.connect_timeout_s):
            return Availability.fetchable("its weights are not on this machine yet", HOW_TO_FETCH)
        return Availability.unavailable(
            "its weights are not on this machine and the host that serves them is out of reach", HOW_TO_FETCH
        )

    def fetch(self) -> None:
        """Download the checkpoint, verified by its SHA-256, into ``WHISPER_MODEL_DIR``; shows its progress.

        Processes that fetch at the same time wait for the first. Raises StageFailed.
        """
        if self._size is None or self._checkpoint.is_file():
            return
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with _locked(self._directory / f".{self._checkpoint.name}.lock"):
                if not self._checkpoint.is_file():
                    self._download(self._size)
        except Exception as error:
            raise StageFailed("stt", f"{self.label} could not be downloaded; {HOW_TO_FETCH}") from error

    def load(self) -> None:
        if self._model is not None:
            return
        with _no_warnings():
            import torch
            import whisper

            torch.set_num_threads(self._threads)
            if self._size is not None and not self._is_published():
                raise StageFailed("stt", f"the file of {self.label} is damaged: delete it, fetch it again")
            # By path in every case: by name, the library would download a file that it does not like.
            model = whisper.load_model(str(self._checkpoint))
            if self._size is not None:
                model.set_alignment_heads(whisper._ALIGNMENT_HEADS[self._size])
            _compile_aligner()
        self._model = model.eval()

    def transcribe(self, request: SttRequest) -> Transcript:
        """Raises UnsupportedLanguage where an English-only checkpoint is asked for another language."""
        self.load()
        import torch

        if not self._model.is_multilingual and request.language not in (None, "en"):
            raise UnsupportedLanguage(f"{self.label} is for English only")
        if len(request.samples) == 0:
            return Transcript((), request.language)
        samples = _filled(request.samples)
        language, confidence = request.language, None
        # The fallback to higher temperatures draws random numbers: the same ones for every request.
        torch.manual_seed(SEED)
        with _no_warnings():
            if language is None:
                language, confidence = self._detected(samples)
            result = self._model.transcribe(
                samples,
                language=_WHISPER_CODE.get(language, language),
                word_timestamps=True,
                condition_on_previous_text=False,
                fp16=self._on_gpu,
                verbose=None,
            )
        return Transcript(tuple(_words(result["segments"])), language, confidence)

    @property
    def _on_gpu(self) -> bool:
        return bool(self._model.device.type == "cuda")

    def _detected(self, samples: NDArray[np.float32]) -> tuple[str, float | None]:
        import torch
        from whisper.audio import log_mel_spectrogram, pad_or_trim

        if not self._model.is_multilingual:
            return "en", None
        mel = log_mel_spectrogram(pad_or_trim(samples), self._model.dims.n_mels).to(self._model.device)
        _, probabilities = self._model.detect_language(mel.to(torch.float16) if self._on_gpu else mel)
        code = max(probabilities, key=probabilities.__getitem__)
        return _ISO_CODE.get(code, code), float(probabilities[code])

    def _download(self, size: str) -> None:
        import whisper

        scratch = self._directory / f".{self._checkpoint.name}.part"
        shutil.rmtree(scratch, ignore_errors=True)
        timeout_s = socket.getdefaulttimeout()
        socket.setdefaulttimeout(STALLED_AFTER_S)
        log.info("stt.fetch_started", extra={"engine": self.label})
        try:
            whisper._download(whisper._MODELS[size], str(scratch), False)
            (scratch / self._checkpoint.name).replace(self._checkpoint)
        finally:
            socket.setdefaulttimeout(timeout_s)
            shutil.rmtree(scratch, ignore_errors=True)

    def _is_published(self) -> bool:
        import whisper

        expected = whisper._MODELS[self._size].split("/")[-2]
        with self._checkpoint.open("rb") as file:
            return bool(hashlib.file_digest(file, "sha256").hexdigest() == expected)


def _is_path(choice: str) -> bool:
    return os.sep in choice or choice.endswith(".pt") or Path(choice).is_file()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _no_warnings() -> Iterator[None]:
    """The libraries' warnings are to their developers: numba's of slow code, torch's of sparse tensors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _compile_aligner() -> None:
    """Have numba compile the word aligner now: it takes seconds, which no first call should wait for."""
    import numpy as np
    from whisper.timing import dtw_cpu

    dtw_cpu(np.zeros((2, 2)))


def _filled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    missing = round(SHORTEST_S * SAMPLE_RATE) - len(samples)
    return np.pad(samples, (0, missing)) if missing > 0 else samples


def _words(segments: list[dict[str, Any]]) -> Iterator[Word]:
    for segment in segments:
        spoken = [word for word in segment["words"] if word["word"].strip()]
        for word in spoken:
            yield Word(
                word["word"].strip(),
                float(word["start"]),
                float(word["end"]),
                float(word["probability"]),
                space_before=word["word"][:1].isspace(),
                ends_segment=word is spoken[-1],
            )
