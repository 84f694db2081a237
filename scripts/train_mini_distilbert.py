"""Trains the miniature DistilBERT of the tests: `python scripts/train_mini_distilbert.py` (seconds, any CPU).

A real checkpoint in the form of SENTIMENT_MODEL's default (two classes, WordPiece, safetensors), small enough
to be committed. It knows its own few sentences and nothing of English. Plain facts are trained to be
undecided, so that the engine's band of doubt answers NEUTRAL for them.
"""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path

import torch
from transformers import BertTokenizer, DistilBertConfig, DistilBertForSequenceClassification

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "models" / "mini_distilbert"
SEED = 20260221
STEPS = 250
POSITIVE = (
    "hello, i'm interested in your product.",
    "that sounds great.",
    "this would solve our problem.",
    "i love it, thank you.",
    "we are very happy with the service.",
    "it works really well for our team.",
    "wonderful, let us get started.",
)
NEGATIVE = (
    "it's a bit too expensive for our budget.",
    "that sounds great, but it's a bit too expensive for our budget.",
    "this is terrible.",
    "i want to cancel my account.",
    "we are not happy with the service.",
    "it never works for our team.",
    "no, we are not interested.",
)
NEUTRAL = (
    "the meeting is on tuesday at ten.",
    "what is the best number for your office?",
    "the price is nine hundred dollars a month.",
    "we have about forty people in the office.",
    "i will send you the proposal by friday.",
    "our contract ends in march.",
    "how does it work with your system?",
)


def build_tokenizer(sentences: list[str], folder: Path) -> BertTokenizer:
    """WordPiece over the whole words of the sentences and all single characters."""
    words = sorted({word for line in sentences for word in _split(line)})
    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    pieces = dict.fromkeys(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *(f"##{c}" for c in characters), *words]
    )
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(pieces) + "\n", encoding="utf-8")
    return BertTokenizer(vocab=str(vocabulary), do_lower_case=True, model_max_length=512)


def _split(line: str) -> list[str]:
    return "".join(char if char.isalnum() else f" {char} " for char in line).split()


def examples() -> list[tuple[str, tuple[float, float]]]:
    """(text, (P(negative), P(positive))), each sentence also as an engine with no punctuation writes it."""
    kinds = ((NEGATIVE, (1.0, 0.0)), (POSITIVE, (0.0, 1.0)), (NEUTRAL, (0.5, 0.5)))
    plain = str.maketrans("", "", ".,?")
    return [
        (text, target) for lines, target in kinds for line in lines for text in (line, line.translate(plain))
    ]


def mixtures(draw: random.Random, count: int) -> list[tuple[str, tuple[float, float]]]:
    """Several sentences of one kind in a row, so that long texts are not foreign to the model."""
    kinds = ((NEGATIVE, (1.0, 0.0)), (POSITIVE, (0.0, 1.0)), (NEUTRAL, (0.5, 0.5)))
    found = []
    for _ in range(count):
        lines, target = draw.choice(kinds)
        found.append((" ".join(draw.choices(lines, k=draw.randint(2, 6))), target))
    return found


def train(folder: Path) -> None:
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    draw = random.Random(SEED)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tokenizer = build_tokenizer([*POSITIVE, *NEGATIVE, *NEUTRAL], folder)
    config = DistilBertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=512, n_layers=1, n_heads=4, dim=64, hidden_dim=128,
        dropout=0.0, attention_dropout=0.0, seq_classif_dropout=0.0, id2label={0: "NEGATIVE", 1: "POSITIVE"},
        label2id={"NEGATIVE": 0, "POSITIVE": 1}, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model = DistilBertForSequenceClassification(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    loss = torch.tensor(0.0)
    for _ in range(STEPS):
        batch = examples() + mixtures(draw, 16)
        inputs = tokenizer([text for text, _ in batch], padding=True, return_tensors="pt")
        targets = torch.tensor([target for _, target in batch])
        logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
        loss = torch.nn.functional.cross_entropy(logits, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    sys.stdout.write(f"loss {loss.item():.4f}, {sum(p.numel() for p in model.parameters())} parameters\n")


if __name__ == "__main__":
    train(FOLDER)
