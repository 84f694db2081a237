"""Writes the fitted network and all that belongs to it where the service reads it."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from app.services.sentiment.int8_graph import quantise_rows, quantise_tables
from training.moments.calibrate import Doubles, Merge, Scales
from training.moments.network import ReaderNetwork
from training.moments.talk import SENTIMENTS, SUBTYPES, TYPES

WEIGHTS = Path(__file__).parents[2] / "app" / "services" / "reading" / "weights"
MOST_BYTES = 30_000_000
OPSET = 18
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUTS = ("moments", "subtypes", "sentiment", "carried")


class _Served(nn.Module):
    """The network as the service asks it: probabilities, and what each piece adds to each type's log odds."""

    def __init__(self, network: ReaderNetwork, scales: Scales) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("scale", torch.tensor(scales.scale, dtype=torch.float32))
        self.register_buffer("shift", torch.tensor(scales.shift, dtype=torch.float32))

    def forward(self, ids: Tensor, mask: Tensor, kinds: Tensor) -> tuple[Tensor, ...]:
        added = self.network.added(ids, mask, kinds)
        scores = added.sum(1) + self.network.bias
        border, end = len(TYPES), len(TYPES) + len(SUBTYPES)
        chances = torch.sigmoid(scores[:, :border] * self.scale + self.shift)
        carried = (added[:, :, :border] * self.scale).transpose(1, 2)
        return chances, scores[:, border:end].softmax(-1), scores[:, end:].softmax(-1), carried


def write_network(network: ReaderNetwork, scales: Scales, base: Path) -> None:
    """`reader.onnx` in 8 bits, each row with a scale of its own, and `vocab.txt`. Raises SystemExit when the
    file is larger than the repository carries."""
    stored = _graph(_Served(network, scales).eval()).SerializeToString(deterministic=True)
    if len(stored) > MOST_BYTES:
        raise SystemExit(f"{len(stored)} bytes are more than {MOST_BYTES}")
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    (WEIGHTS / "reader.onnx").write_bytes(stored)
    shutil.copy(base / "vocab.txt", WEIGHTS / "vocab.txt")
    print(f"{WEIGHTS / 'reader.onnx'}: {len(stored) / 1e6:.1f} MB")


def describe(
    name: str,
    files: Sequence[str],
    merge: Merge,
    thresholds: Doubles,
    floor: float,
    rules: Sequence[str],
    more: Mapping[str, Any],
) -> None:
    """`NAME.json`: what the files are, and how much they and the rules are to be believed. The revision is a
    hash of all of it."""
    about: dict[str, Any] = {
        "types": TYPES,
        "subtypes": SUBTYPES,
        **more,
        "thresholds": {type_: round(float(at), 4) for type_, at in zip(TYPES, thresholds, strict=True)},
        "floor": floor,
        "merge": {
            type_: dict(zip("abcd", (round(float(each), 4) for each in weights), strict=True))
            for type_, weights in zip(TYPES, merge.weights, strict=True)
        },
        "rules": list(rules),
        "sha256": {file: hashlib.sha256((WEIGHTS / file).read_bytes()).hexdigest() for file in files},
    }
    revision = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]
    text = json.dumps({"revision": revision, **about}, indent=1, ensure_ascii=False) + "\n"
    (WEIGHTS / f"{name}.json").write_text(text, encoding="utf-8")


def reader_facts(longest: int, longest_before: int) -> dict[str, Any]:
    return {"sentiments": SENTIMENTS, "max_tokens": longest, "max_before_tokens": longest_before}


def _graph(served: nn.Module) -> Any:
    example = torch.tensor([[2, 5, 4, 7, 3, 6, 3], [2, 5, 4, 8, 3, 0, 0]])
    mask = (example > 0).long()
    kinds = torch.zeros_like(example)
    kinds[0, 5:] = 1
    axes = {name: {0: "texts", 1: "tokens"} for name in INPUTS} | {name: {0: "texts"} for name in OUTPUTS}
    axes["carried"][2] = "tokens"
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer, on shapes that are marked as variable
        torch.onnx.export(
            served, (example, mask, kinds), stream, input_names=INPUTS, output_names=OUTPUTS,
            dynamic_axes=axes, opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    model = onnx.load_from_string(stream.getvalue())
    quantise_rows(model)
    quantise_tables(model)
    onnx.checker.check_model(model)
    return model
