"""Sentiment by a HuggingFace text classifier, run on this machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any, ClassVar

from app.core.config import Settings
from app.core.exceptions import AppError, EngineUnavailable, StageFailed
from app.core.registry import install_hint, missing_module
from app.schemas.engine import Availability, Capabilities, EngineState
from app.schemas.sentiment import SentimentLabel
from app.services.sentiment.base import SentimentScores
from app.services.sentiment.labels import combine, read_labels
from app.services.sentiment.model_folder import ModelFolder
from app.services.sentiment.windows import cut

log = logging.getLogger(__name__)

BATCH_SIZE = 32
PROBE_TIMEOUT_S = 2.0
FETCH_FIX = "python -m app fetch-models, with a network; or copy the model and set SENTIMENT_MODEL_DIR"
_ENGLISH_ONLY = ("english", "sst-2", "sst2")
_OFFSET_POSITIONS = ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl")
"""Model types whose first positions belong to padding, so that they read fewer tokens than they count."""


class TransformerEngine:
    """``SENTIMENT_MODEL`` through ``transformers.pipeline``; reads its weights from the disk, never the hub.

    One lock around tokenizer and model: the fast tokenizers raise "Already borrowed" when shared by threads.
    """

    name = "transformer"
    hub_url: ClassVar[str] = "https://huggingface.co"

    def __init__(self, settings: Settings) -> None:
        self._threads = settings.threads
        self._folder = ModelFolder(settings.sentiment_model, settings.sentiment_model_dir, self.hub_url)
        english = any(mark in self._folder.name.lower() for mark in _ENGLISH_ONLY)
        self.capabilities = Capabilities(languages=frozenset({"en"}) if english else None)
        self._lock = threading.RLock()
        self._pipeline: Any = None
        self._labels: dict[str, SentimentLabel] = {}
        self._longest = 0

    @property
    def label(self) -> str:
        return f"{self.name}:{self._folder.name}"

    def availability(self) -> Availability:
        missing = missing_module("transformers", "torch", "huggingface_hub")
        if missing:
            return Availability.unavailable(f"{missing} is not installed", install_hint(self.name))
        if self._folder.is_complete():
            return Availability.ready()
        if not self._folder.from_hub:
            return Availability.unavailable(
                "the folder that SENTIMENT_MODEL names has no complete model",
                "put config.json, the tokenizer's files and model.safetensors there",
            )
        if self._folder.hub_answers(PROBE_TIMEOUT_S):
            return Availability.fetchable("its weights are not on this machine yet", FETCH_FIX)
        return Availability.unavailable(
            "its weights are not on this machine and the model hub cannot be reached", FETCH_FIX
        )

    def fetch(self) -> None:
        seen = self.availability()
        if seen.state is EngineState.READY:
            return
        if seen.state is EngineState.UNAVAILABLE:
            raise StageFailed("sentiment", f"{seen.reason}; {seen.fix}")
        self._folder.fetch()
        log.info("sentiment.fetched", extra={"engine": self.label})

    def load(self) -> None:
        """Raises EngineUnavailable where the weights are missing or are those of no sentiment model."""
        with self._lock:
            if self._pipeline is not None:
                return
            if missing_module("transformers", "torch") or not self._folder.is_complete():
                seen = self.availability()
                raise EngineUnavailable("sentiment", f"{self.label}: {seen.reason} ({seen.fix})")
            try:
                self._load()
            except AppError:
                raise
            except Exception as error:
                log.warning("sentiment.load_failed", extra={"engine": self.label}, exc_info=True)
                raise EngineUnavailable(
                    "sentiment", f"{self.label} cannot be loaded: {type(error).__name__}"
                ) from error

    def window(self, text: str) -> list[str]:
        """Pieces of at most as many tokens as the model reads (510 for DistilBERT), cut between sentences."""
        self.load()
        with self._lock:
            return cut(text, lambda piece: self._count_tokens(piece) <= self._longest)

    def score(self, texts: Sequence[str]) -> list[SentimentScores]:
        self.load()
        shortest_first = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        scores: dict[int, SentimentScores] = {}
        with self._lock:
            answers = self._pipeline([texts[index] for index in shortest_first]) if texts else []
        for index, classes in zip(shortest_first, answers, strict=True):
            scores[index] = combine({each["label"]: each["score"] for each in classes}, self._labels)
        return [scores[index] for index in range(len(texts))]

    def _load(self) -> None:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline
        from transformers.utils import logging as transformers_logging

        torch.set_num_threads(self._threads)
        transformers_logging.disable_progress_bar()
        here = {"local_files_only": True, "trust_remote_code": False}
        tokenizer = AutoTokenizer.from_pretrained(self._folder.path, **here)
        model = AutoModelForSequenceClassification.from_pretrained(
            self._folder.path, use_safetensors=True, **here
        )
        try:
            self._labels = read_labels(model.config.id2label)
        except ValueError as error:
            raise EngineUnavailable("sentiment", f"{self.label} is no sentiment model: {error}") from error
        self._longest = _longest_text(tokenizer, model.config)
        self._pipeline = pipeline(
            "text-classification",
            model=model,
            tokenizer=tokenizer,
            device="cpu",
            top_k=None,
            batch_size=BATCH_SIZE if tokenizer.pad_token_id is not None else 1,
        )

    def _count_tokens(self, text: str) -> int:
        tokenizer = self._pipeline.tokenizer
        return len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def _longest_text(tokenizer: Any, config: Any) -> int:
    """Tokens of text that the model reads at once, its own marks at both ends left out."""
    positions = getattr(config, "max_position_embeddings", 512)
    if config.model_type in _OFFSET_POSITIONS:
        positions -= config.pad_token_id + 1
    return int(min(tokenizer.model_max_length, positions)) - int(tokenizer.num_special_tokens_to_add())
