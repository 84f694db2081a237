"""Makes the 8-bit form of a checkpoint, once, in a file beside it."""

from __future__ import annotations

import hashlib
import os
import shutil
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.services.sentiment.check_sentences import CHECK_SENTENCES
from app.services.sentiment.int8_graph import quantise_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 1
"""Counts the changes of what is written; files of another format are made anew."""
OPSET = 18
_MAKERS = ("torch", "transformers", "onnx")
_READ = ("*.json", "*.txt", "*.safetensors", "*.model")


def int8_file(checkpoint: Path, kept_in: Path, name: str) -> Path:
    """Where the 8-bit form of ``checkpoint`` belongs.

    Its name changes with any file of the checkpoint, the libraries that make it and the check sentences.
    """
    digest = hashlib.sha256(repr((FORMAT, OPSET, CHECK_SENTENCES)).encode())
    for library in _MAKERS:
        digest.update(f"{library} {version(library)}\n".encode())
    for file in sorted(path for pattern in _READ for path in checkpoint.glob(pattern)):
        with file.open("rb") as stream:
            digest.update(f"{file.name} ".encode() + hashlib.file_digest(stream, "sha256").digest())
    return kept_in / f"{name.replace('/', '--')}-int8-{digest.hexdigest()[:16]}.onnx"


def write_int8(
    model: Any, example: Mapping[str, NDArray[np.int64]], about: Mapping[str, str], file: Path
) -> None:
    """Export ``model`` (a torch module on the CPU), quantise it and put it at ``file``, whole or not at all.

    ``example``: inputs by name, in the order of ``forward``, of shape (texts, tokens); both axes stay free.
    ``about`` is written into the file. Processes that do so at the same time wait for the first.
    Raises OSError, and whatever the exporter raises for a network that it cannot trace.
    """
    import onnx
    from filelock import FileLock

    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_name(f".{file.stem}.part")
    with FileLock(file.with_name(f".{file.stem}.lock")):
        if file.is_file():
            return
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            _export(model, example, scratch / "fp32.onnx")
            graph = onnx.load(scratch / "fp32.onnx")
            quantise_rows(graph)
            onnx.helper.set_model_props(graph, dict(about))
            onnx.save(graph, scratch / "int8.onnx")
            with (scratch / "int8.onnx").open("rb+") as stream:
                os.fsync(stream.fileno())
            (scratch / "int8.onnx").replace(file)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _export(model: Any, example: Mapping[str, NDArray[np.int64]], file: Path) -> None:
    import torch

    tensors = {name: torch.from_numpy(values) for name, values in example.items()}
    free: dict[str, dict[int, str]] = {name: {0: "texts", 1: "tokens"} for name in tensors}
    with warnings.catch_warnings(), torch.inference_mode():
        # Tracing warns of every shape that it looks at; the check sentences have two dozen shapes.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (tensors,),
            str(file),
            input_names=list(tensors),
            output_names=["logits"],
            dynamic_axes={**free, "logits": {0: "texts"}},
            opset_version=OPSET,
            dynamo=False,
        )
