"""Sentiment by a HuggingFace text classifier, run on this machine."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from app.core.config import Settings
from app.core.exceptions import AppError, ConfigurationError, EngineUnavailable, StageFailed
from app.core.registry import install_hint, missing_module
from app.schemas.engine import Availability, Capabilities, EngineState
from app.schemas.sentiment import SentimentLabel
from app.schemas.utterance import Utterance
from app.services.batches import BATCH_TEXTS, pad, plan
from app.services.sentiment.base import SentimentScores
from app.services.sentiment.check_sentences import CHECK_SENTENCES
from app.services.sentiment.classifiers import Classifier, OnnxClassifier, TorchClassifier
from app.services.sentiment.int8_model import int8_file, write_int8
from app.services.sentiment.labels import combine, read_labels
from app.services.sentiment.model_folder import ModelFolder
from app.services.sentiment.neutral_band import NeutralBand, band_file, log_odds, read_band, write_band
from app.services.sentiment.windows import cut

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

LEAST_AGREEMENT = 0.99
"""Of the check sentences, how many must keep their label for `auto` to take 8 bits."""
_CHECKED = "check_labels"
PROBE_TIMEOUT_S = 2.0
FETCH_FIX = "python -m app fetch-models, with a network; or copy the model and set SENTIMENT_MODEL_DIR"
_ENGLISH_ONLY = ("english", "sst-2", "sst2")
_OFFSET_POSITIONS = ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl")
"""Model types whose first positions belong to padding, so that they read fewer tokens than they count."""


class TransformerEngine:
    """``SENTIMENT_MODEL``, read from the disk, never the hub; in 8 bits where its labels stay the same.

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
        self._kept_in = settings.sentiment_model_dir
        self._precision: str = settings.sentiment_precision
        self._classifier: Any = None
        self._tokenizer: Any = None
        self._labels: dict[str, SentimentLabel] = {}
        self._classes: list[str] = []
        self._several = False
        self._band: NeutralBand | None = None
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
            if self._classifier is not None:
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

    @property
    def precision(self) -> str:
        """``int8`` or ``fp32`` once loaded, before that what SENTIMENT_PRECISION says."""
        return self._precision

    def window(self, text: str) -> list[str]:
        """Pieces of at most as many tokens as the model reads (510 for DistilBERT), cut between sentences."""
        self.load()
        with self._lock:
            return cut(text, self._fits)

    def score(self, utterances: Sequence[Utterance]) -> list[SentimentScores]:
        self.load()
        with self._lock:
            texts = [utterance.text for utterance in utterances]
            return self._combined(texts, self._classifier, self._band)

    def log_odds(self, utterances: Sequence[Utterance]) -> list[float]:
        """ln(p / n) of each, by a model that knows positive and negative alone. Raises ConfigurationError for
        one that knows more."""
        self.load()
        if SentimentLabel.NEUTRAL in self._labels.values():
            raise ConfigurationError(f"{self.label} knows a neutral of its own and needs no band")
        with self._lock:
            chances = self._chances([utterance.text for utterance in utterances], self._classifier)
        odds = []
        for each in chances:
            sums = {label: sum(p for name, p in each.items() if self._labels[name] is label)
                    for label in (SentimentLabel.POSITIVE, SentimentLabel.NEGATIVE)}  # fmt: skip
            odds.append(log_odds(sums[SentimentLabel.POSITIVE], sums[SentimentLabel.NEGATIVE]))
        return odds

    def keep_band(self, band: NeutralBand, lines: int) -> None:
        """Use this neutral band from now on, in this process and others that load the model after."""
        write_band(self._band_file, band, lines)
        self._band = band

    @property
    def _band_file(self) -> Path:
        return band_file(self._folder.path, self._kept_in, self._folder.name)

    def _load(self) -> None:
        import torch
        from transformers import AutoConfig, AutoTokenizer
        from transformers.utils import logging as transformers_logging

        torch.set_num_threads(self._threads)
        # The tokenizer would start a thread for every core, whatever ENGINE_THREADS says.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        transformers_logging.disable_progress_bar()
        here = {"local_files_only": True, "trust_remote_code": False}
        config = AutoConfig.from_pretrained(self._folder.path, **here)
        try:
            self._labels = read_labels(config.id2label)
        except ValueError as error:
            raise EngineUnavailable("sentiment", f"{self.label} is no sentiment model: {error}") from error
        self._classes = [config.id2label[index] for index in range(len(config.id2label))]
        self._several = config.problem_type == "multi_label_classification"
        self._tokenizer = AutoTokenizer.from_pretrained(self._folder.path, **here)
        self._longest = _longest_text(self._tokenizer, config)
        if SentimentLabel.NEUTRAL not in self._labels.values():
            self._band = read_band(self._band_file)
        wants_int8 = self._precision == "int8" or (
            self._precision == "auto" and not torch.cuda.is_available()
        )
        classifier = self._load_int8() if wants_int8 else None
        self._precision = "int8" if classifier else "fp32"
        self._classifier = classifier or TorchClassifier(self._folder.path)
        log.info("sentiment.loaded", extra={"engine": self.label, "precision": self._precision})

    def _load_int8(self) -> Classifier | None:
        """The model in 8 bits, made where it is not there yet; None where it cannot be made or trusted."""
        try:
            file = int8_file(self._folder.path, self._kept_in, self._folder.name)
            if not file.is_file():
                self._write_int8(file)
            classifier = OnnxClassifier(file, self._threads)
            agreement = self._agreement(classifier)
        except Exception:
            log.warning("sentiment.int8_unavailable", extra={"engine": self.label}, exc_info=True)
            return None
        if agreement < LEAST_AGREEMENT:
            seen = {"engine": self.label, "agreement": agreement}
            log.warning("sentiment.int8_disagrees", extra=seen)
            return classifier if self._precision == "int8" else None
        return classifier

    def _write_int8(self, file: Path) -> None:
        plain = TorchClassifier(self._folder.path, device="cpu")
        example = self._padded(self._encode(CHECK_SENTENCES), range(2), plain)
        about = {_CHECKED: " ".join(self._judgements(plain))}
        write_int8(plain.model, example, about, file)
        log.info("sentiment.int8_made", extra={"engine": self.label})

    def _agreement(self, classifier: OnnxClassifier) -> float:
        """Share of the check sentences with the label that the plain model gave them, on this processor."""
        pairs = zip(self._judgements(classifier), classifier.about[_CHECKED].split(), strict=True)
        return sum(found == expected for found, expected in pairs) / len(CHECK_SENTENCES)

    def _judgements(self, classifier: Classifier) -> list[str]:
        # By the standard band: the labels in the file were written before anybody fitted another.
        scored = (asdict(each) for each in self._combined(CHECK_SENTENCES, classifier, None))
        return [max(chances, key=lambda label: chances[label]) for chances in scored]

    def _combined(
        self, texts: Sequence[str], classifier: Classifier, band: NeutralBand | None
    ) -> list[SentimentScores]:
        return [combine(chances, self._labels, band) for chances in self._chances(texts, classifier)]

    def _chances(self, texts: Sequence[str], classifier: Classifier) -> list[dict[str, float]]:
        """For each text the probability of each of the model's own classes."""
        import numpy as np

        if not texts:
            return []
        encoded = self._encode(texts)
        logits = np.empty((len(texts), len(self._classes)))
        together = BATCH_TEXTS if self._tokenizer.pad_token_id is not None else 1
        for batch in plan([len(ids) for ids in encoded["input_ids"]], together):
            logits[batch] = classifier.logits(self._padded(encoded, batch, classifier))
        chances = _probabilities(logits, several=self._several)
        return [dict(zip(self._classes, row, strict=True)) for row in chances.tolist()]

    def _encode(self, texts: Sequence[str]) -> dict[str, list[list[int]]]:
        return dict(self._tokenizer(list(texts), verbose=False))

    def _padded(
        self, encoded: Mapping[str, list[list[int]]], batch: Sequence[int], classifier: Classifier
    ) -> dict[str, NDArray[np.int64]]:
        """What ``classifier`` reads of the texts ``batch``, in the order in which it asks for it."""
        from_left = self._tokenizer.padding_side == "left"
        filling = {"input_ids": self._tokenizer.pad_token_id or 0}
        return {
            name: pad([encoded[name][index] for index in batch], filling.get(name, 0), from_left=from_left)
            for name in classifier.inputs
            if name in encoded
        }

    def _fits(self, text: str) -> bool:
        # No tokenizer makes more tokens of a text than it has characters, but for one mark at its start;
        # beyond ASCII a character may become several.
        if len(text) < self._longest and text.isascii():
            return True
        ids = self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return len(ids) <= self._longest


def _probabilities(logits: NDArray[np.float64], *, several: bool) -> NDArray[np.float64]:
    """Softmax over the classes; of a model that was trained to give ``several`` at once, each for itself."""
    import numpy as np

    if several:
        return 1 / (1 + np.exp(-logits))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def _longest_text(tokenizer: Any, config: Any) -> int:
    """Tokens of text that the model reads at once, its own marks at both ends left out."""
    positions = getattr(config, "max_position_embeddings", 512)
    if config.model_type in _OFFSET_POSITIONS:
        positions -= config.pad_token_id + 1
    return int(min(tokenizer.model_max_length, positions)) - int(tokenizer.num_special_tokens_to_add())
