"""A reader in miniature, of the same form as the trained one: each word piece adds what is told here.

Its network is a bag of word pieces: log odds of types and subtypes and scores of sentiments are sums over the
pieces of the first part; the turn before adds nothing.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from app.schemas.moment import MomentType, ObjectionSubtype
from app.schemas.utterance import Utterance
from app.services.reading.ngrams import features

TYPES = tuple(MomentType)
SUBTYPES = tuple(ObjectionSubtype)
SENTIMENTS = ("POSITIVE", "NEUTRAL", "NEGATIVE")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
WEIGHT = 6.0
SAYS: Mapping[str, tuple[str, ...]] = {
    "zero": ("objection", "price"),
    "expensive": ("objection", "price", "NEGATIVE"),
    "boss": ("objection", "authority"),
    "wonder": ("hesitation",),
    "rival": ("competitor_mention",),
    "frustrating": ("empathy",),
    "friday": ("next_step",),
    "great": ("POSITIVE",),
    "happy": ("POSITIVE",),
    "interested": ("POSITIVE", "buying_signal"),
    "not": ("NEGATIVE",),
    "terrible": ("NEGATIVE",),
}
WORDS = (*SAYS, "the", "bank", "price", "agent", "customer", "unknown", "is", "a", "that", "sounds", "you")
OTHERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "es": {"caro": ("objection", "price"), "contrato": ("buying_signal",)},
    "hi": {"महंगा": ("objection", "price")},
}
RULES = ("price_too_high",)
MERGE = {"a": 0.0, "b": 1.0, "c": 2.0, "d": 1.0}
BUCKETS = 4096


def write_reader(folder: Path, **changes: Any) -> Path:
    """The whole artefact; ``changes`` to `reader.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", ":", *WORDS, *LETTERS, *(f"##{each}" for each in LETTERS))
    marks = tuple(".,?!'-")
    vocabulary = dict.fromkeys((*pieces, *marks))
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    (folder / "reader.onnx").write_bytes(_network(tuple(vocabulary)).SerializeToString())
    about = {
        "revision": "mini-1",
        "types": TYPES,
        "subtypes": SUBTYPES,
        "sentiments": SENTIMENTS,
        "max_tokens": 32,
        "max_before_tokens": 8,
        **_about(),
        "sha256": {name: _digest(folder / name) for name in ("reader.onnx", "vocab.txt")},
    }
    (folder / "reader.json").write_text(json.dumps({**about, **changes}), encoding="utf-8")
    _write_others(folder)
    return folder


@cache
def reader_folder() -> Path:
    """One for all tests that alter nothing."""
    folder = Path(mkdtemp(prefix="mini-reader-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return write_reader(folder)


def _about() -> dict[str, Any]:
    return {
        "thresholds": dict.fromkeys(TYPES, 0.5),
        "merge": dict.fromkeys(TYPES, MERGE),
        "rules": RULES,
    }


def _write_others(folder: Path) -> None:
    names = [str(name) for name in (*TYPES, *SUBTYPES)]
    arrays: dict[str, NDArray[Any]] = {}
    for language, words in OTHERS.items():
        weights = np.zeros((BUCKETS, len(names)), dtype=np.float32)
        for word, kinds in words.items():
            places, values = features(Utterance(word), BUCKETS)
            for kind in kinds:
                weights[places, names.index(kind)] += 12 * values
        arrays[f"{language}_weights"] = weights.astype(np.float16)
        arrays[f"{language}_bias"] = np.full(len(names), -3.0, dtype=np.float32)
    np.savez_compressed(folder / "others.npz", allow_pickle=False, **arrays)
    about = {
        "revision": "mini-others-1",
        "languages": list(OTHERS),
        "types": TYPES,
        "subtypes": SUBTYPES,
        "buckets": BUCKETS,
        **_about(),
        "sha256": {"others.npz": _digest(folder / "others.npz")},
    }
    (folder / "others.json").write_text(json.dumps(about), encoding="utf-8")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _network(vocabulary: tuple[str, ...]) -> onnx.ModelProto:
    """added = table[ids] masked to the first part; moments = sigmoid(sum(added) - 3), and so on."""
    names = [str(name) for name in (*TYPES, *SUBTYPES, *SENTIMENTS)]
    table = np.zeros((len(vocabulary), len(names)), dtype=np.float32)
    for word, kinds in SAYS.items():
        for kind in kinds:
            table[vocabulary.index(word), names.index(kind)] = WEIGHT
    bias = np.array([*[-3.0] * len(TYPES), *[0.0] * len(SUBTYPES), 0.0, 2.0, 0.0], dtype=np.float32)
    constants = {
        "table": table,
        "bias": bias,
        "one": np.array(1, dtype=np.int64),
        "last": np.array([-1], dtype=np.int64),
        "middle": np.array([1], dtype=np.int64),
        "borders": np.array([len(TYPES), len(SUBTYPES), len(SENTIMENTS)], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Sub", ["one", "token_type_ids"], ["first"]),
        helper.make_node("Mul", ["first", "attention_mask"], ["read"]),
        helper.make_node("Cast", ["read"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["real", "last"], ["mask"]),
        helper.make_node("Gather", ["table", "input_ids"], ["all"]),
        helper.make_node("Mul", ["all", "mask"], ["added"]),
        helper.make_node("ReduceSum", ["added", "middle"], ["summed"], keepdims=0),
        helper.make_node("Add", ["summed", "bias"], ["scores"]),
        helper.make_node("Split", ["scores", "borders"], ["types", "kinds", "feelings"], axis=1),
        helper.make_node("Sigmoid", ["types"], ["moments"]),
        helper.make_node("Softmax", ["kinds"], ["subtypes"], axis=1),
        helper.make_node("Softmax", ["feelings"], ["sentiment"], axis=1),
        helper.make_node("Split", ["added", "borders"], ["each", "_kinds", "_feelings"], axis=2),
        helper.make_node("Transpose", ["each"], ["carried"], perm=[0, 2, 1]),
    ]
    inputs = ("input_ids", "attention_mask", "token_type_ids")
    outputs: Mapping[str, tuple[Any, ...]] = {
        "moments": ("texts", len(TYPES)),
        "subtypes": ("texts", len(SUBTYPES)),
        "sentiment": ("texts", len(SENTIMENTS)),
        "carried": ("texts", len(TYPES), "tokens"),
    }
    graph = helper.make_graph(
        nodes,
        "mini",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in inputs],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
            for name, shape in outputs.items()
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model
