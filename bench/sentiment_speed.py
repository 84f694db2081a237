"""Sentiment of a 600-segment call, DistilBERT's dimensions: a pipeline call a segment, batches, 8 bits."""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.config import Settings
from app.schemas.sentiment import Sentiment
from app.schemas.utterance import Utterance
from app.services.sentiment.check_sentences import CHECK_SENTENCES
from app.services.sentiment.transformer import TransformerEngine
from app.services.sentiment_service import SentimentService
from bench.report import Figure, refuse_foreign_load, write
from tests.services.sentiment.factories import MINI

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEGMENTS = 600
ROUNDS = 3
SEED = 20260301
VOCABULARY = 30_522
UTTERANCES = Path(__file__).parent.parent / "tests" / "services" / "sentiment" / "utterances.json"
ONE_BY_ONE, BATCHED, IN_8_BITS = "one by one, fp32", "batches, fp32", "batches, int8"
Run = Callable[[Sequence[str]], list[tuple[float, str]]]
"""Texts to the chance of POSITIVE and the label of each."""


def measure() -> list[Figure]:
    refuse_foreign_load()
    texts = _segments()
    with tempfile.TemporaryDirectory() as folder:
        kept_in = Path(folder)
        checkpoint = _write_checkpoint(kept_in / "distilbert", texts)
        runs: dict[str, Run] = {
            ONE_BY_ONE: _one_by_one(checkpoint),
            BATCHED: _by_service(checkpoint, kept_in, "fp32"),
            IN_8_BITS: _by_service(checkpoint, kept_in, "int8"),
        }
        wall, cpu = _timed(runs, texts)
        trained = [*_utterances(), *CHECK_SENTENCES, *texts]
        plain, batched, quick = (
            [label for _, label in run(trained)]
            for run in (
                _one_by_one(MINI),
                _by_service(MINI, kept_in, "fp32"),
                _by_service(MINI, kept_in, "int8"),
            )
        )
    changed = sum(one != other for one, other in zip(plain, batched, strict=True))
    flipped = 100 * sum(one != other for one, other in zip(plain, quick, strict=True)) / len(trained)
    figures = [
        Figure("600 segments, one pipeline call each", statistics.median(wall[ONE_BY_ONE]), "s"),
        Figure("times faster in sorted batches, fp32", _ratio(wall, BATCHED), "x", 2.0, at_most=False),
        Figure("times faster in 8 bits", _ratio(wall, IN_8_BITS), "x", 4.0, at_most=False),
        Figure("labels changed by batches, trained weights", changed, "labels", 0),
        Figure("labels changed by 8 bits, trained weights", flipped, "%", 1.0),
    ]

    def draw(axes: Axes) -> None:
        axes.barh(list(wall), [statistics.median(times) for times in wall.values()], color="#3b6ea8")
        axes.invert_yaxis()
        axes.set_xlabel("seconds for 600 segments (median)")

    write("sentiment_speed", figures, draw, {"wall_s": wall, "cpu_s": cpu, "labels_compared": len(trained)})
    return figures


def _timed(
    runs: dict[str, Run], texts: Sequence[str]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds by the clock and of the processor; variants take turns, so that all see the same machine."""
    wall: dict[str, list[float]] = {name: [] for name in runs}
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run(texts[:40])
    for _ in range(ROUNDS):
        for name, run in runs.items():
            began, used = time.perf_counter(), time.process_time()
            run(texts)
            wall[name].append(time.perf_counter() - began)
            cpu[name].append(time.process_time() - used)
    return wall, cpu


def _ratio(wall: dict[str, list[float]], name: str) -> float:
    return statistics.median(slow / quick for slow, quick in zip(wall[ONE_BY_ONE], wall[name], strict=True))


def _one_by_one(checkpoint: Path) -> Run:
    """What a plain service does: the library's pipeline, once a segment; labels read as the engine's are."""
    from transformers import pipeline

    from app.services.sentiment.labels import combine, read_labels

    classify = pipeline("text-classification", model=str(checkpoint), top_k=None, device="cpu")
    labels = read_labels(classify.model.config.id2label)

    def run(texts: Sequence[str]) -> list[tuple[float, str]]:
        answers = []
        for text in texts:
            scores = combine({each["label"]: each["score"] for each in classify([text])[0]}, labels)
            chances = {"NEUTRAL": scores.neutral, "NEGATIVE": scores.negative, "POSITIVE": scores.positive}
            answers.append((scores.positive, max(chances, key=lambda label: chances[label])))
        return answers

    return run


def _by_service(checkpoint: Path, kept_in: Path, precision: str) -> Run:
    settings = Settings(
        _env_file=None,
        sentiment_model=str(checkpoint),
        sentiment_model_dir=kept_in,
        sentiment_precision=precision,
    )
    engine = TransformerEngine(settings)
    engine.load()
    if engine.precision != precision:
        raise RuntimeError(f"the engine runs in {engine.precision}, not in {precision}")
    service = SentimentService(settings, {"transformer": engine})

    def run(texts: Sequence[str]) -> list[tuple[float, str]]:
        found: list[Sentiment] = service.analyse("transformer", [Utterance(text) for text in texts])
        return [(each.positive, each.label) for each in found]

    return run


def _segments() -> list[str]:
    """Segments of one to four sentences, as a call has them: many short ones, few long ones."""
    dice = random.Random(SEED)
    sentences = [*_utterances(), *CHECK_SENTENCES]
    return [
        " ".join(dice.choices(sentences, k=dice.choices((1, 2, 3, 4), (8, 4, 2, 1))[0]))
        for _ in range(SEGMENTS)
    ]


def _utterances() -> list[str]:
    parts: dict[str, Any] = json.loads(UTTERANCES.read_text(encoding="utf-8"))
    return [each["text"] for part, those in parts.items() if part != "note" for each in those]


def _write_checkpoint(folder: Path, texts: Sequence[str]) -> Path:
    """The default model's form with random weights, and a vocabulary of its size that knows the words."""
    import torch
    from transformers import BertTokenizer, DistilBertConfig, DistilBertForSequenceClassification

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(code) for code in range(33, 127)]
    words = sorted({word for text in texts for word in text.lower().replace(".", " ").split()})
    known = list(dict.fromkeys([*marks, *letters, *(f"##{letter}" for letter in letters), *words]))
    rest = [f"[unused{number}]" for number in range(VOCABULARY - len(known))]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(known + rest) + "\n", encoding="utf-8")
    torch.manual_seed(SEED)
    labels = {0: "NEGATIVE", 1: "POSITIVE"}
    config = DistilBertConfig(vocab_size=VOCABULARY, id2label=labels, label2id={"NEGATIVE": 0, "POSITIVE": 1})
    DistilBertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=512).save_pretrained(folder)
    return folder


if __name__ == "__main__":
    measure()
