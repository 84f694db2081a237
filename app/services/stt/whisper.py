"""OpenAI's Whisper in its reference implementation (the openai-whisper package)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.exceptions import UnsupportedLanguage
from app.core.registry import install_hint, missing_module
from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Transcript
from app.services.stt.whisper_checkpoint import WhisperCheckpoint
from app.services.stt.whisper_dialect import filled, iso_code, no_warnings, prompt_of, whisper_code, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from app.core.config import Settings
    from app.services.stt.base import SttRequest

SEED = 0


class WhisperEngine:
    """Whisper on this machine. ``WHISPER_MODEL_SIZE`` is a size or the path of a checkpoint."""

    name = "whisper"

    def __init__(self, settings: Settings) -> None:
        self._checkpoint = WhisperCheckpoint(settings)
        self._threads = settings.threads
        self._model: Any = None
        self.capabilities = Capabilities(languages=self._checkpoint.languages)

    @property
    def label(self) -> str:
        return f"whisper:{self._checkpoint.name}"

    def availability(self) -> Availability:
        missing = missing_module("whisper", "torch")
        if missing is not None:
            return Availability.not_installed(f"{missing} is not installed", install_hint("whisper"))
        return self._checkpoint.availability()

    def fetch(self) -> None:
        """Download the checkpoint into ``WHISPER_MODEL_DIR``. Raises StageFailed."""
        self._checkpoint.fetch(self.label)

    def load(self) -> None:
        if self._model is not None:
            return
        with no_warnings():
            import torch
            import whisper

            torch.set_num_threads(self._threads)
            heads = self._checkpoint.published_heads(self._checkpoint.digest(), self.label)
            # By path in every case: by name, the library would download a file that it does not like.
            model = whisper.load_model(str(self._checkpoint.path))
            if heads is not None:
                model.set_alignment_heads(heads)
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
        samples = filled(request.samples)
        language, confidence = request.language, None
        # The fallback to higher temperatures draws random numbers: the same ones for every request.
        torch.manual_seed(SEED)
        with no_warnings():
            if language is None:
                language, confidence = self._detected(samples)
            result = self._model.transcribe(
                samples,
                language=whisper_code(language),
                word_timestamps=True,
                condition_on_previous_text=False,
                initial_prompt=self._prompt(request.vocabulary),
                carry_initial_prompt=bool(request.vocabulary),
                fp16=self._on_gpu,
                verbose=None,
            )
        return Transcript(tuple(words_of(result["segments"])), language, confidence)

    def _prompt(self, vocabulary: Sequence[str]) -> str | None:
        from whisper.tokenizer import get_tokenizer

        tokenizer = get_tokenizer(self._model.is_multilingual, num_languages=self._model.num_languages)
        return prompt_of(vocabulary, lambda text: len(tokenizer.encode(text)))

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
        return iso_code(code), float(probabilities[code])


def _compile_aligner() -> None:
    """Have numba compile the word aligner now: it takes seconds, which no first call should wait for."""
    import numpy as np
    from whisper.timing import dtw_cpu

    dtw_cpu(np.zeros((2, 2)))
