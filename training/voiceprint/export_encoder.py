"""Writes the GE2E voice encoder as ONNX, from the weights in the Resemblyzer wheel."""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

WEIGHTS = Path(__file__).parents[2] / "app" / "services" / "diarization" / "weights"
VERSION = "0.1.4"
BANDS, HIDDEN, LAYERS = 40, 256, 3
OPSET, IR_VERSION = 17, 8
MOST_BYTES = 6_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="a Resemblyzer wheel that is here already")
    chosen = parser.parse_args().wheel
    with tempfile.TemporaryDirectory() as folder:
        wheel = chosen or download(Path(folder))
        with zipfile.ZipFile(wheel) as archive:
            checkpoint = archive.read("resemblyzer/pretrained.pt")
            licence = archive.read(f"Resemblyzer-{VERSION}.dist-info/LICENSE")
    state = torch.load(io.BytesIO(checkpoint), map_location="cpu", weights_only=True)["model_state"]
    model = encoder({name: value.numpy() for name, value in state.items()})
    onnx.checker.check_model(model)
    stored = model.SerializeToString(deterministic=True)
    if len(stored) > MOST_BYTES:
        raise SystemExit(f"{len(stored)} bytes are more than {MOST_BYTES}")
    WEIGHTS.mkdir(exist_ok=True)
    (WEIGHTS / "ge2e.onnx").write_bytes(stored)
    (WEIGHTS / "LICENSE.resemblyzer").write_bytes(licence)
    print(f"{WEIGHTS / 'ge2e.onnx'}: {len(stored)} bytes")


def download(folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder, f"resemblyzer=={VERSION}"],
        check=True,
    )
    return next(folder.glob("*.whl"))


def encoder(state: dict[str, np.ndarray[Any, Any]]) -> onnx.ModelProto:
    """LSTM layers, then at the frames ``ends`` alone: linear, rectified, scaled to length 1.

    Inputs: ``mel`` (windows, frames, 40) and ``ends`` (n,), indices of frames. Output: ``voices``
    (windows, n, 256): the voice from a window's start up to and with each of ``ends``.
    """
    weights, nodes = [], []

    def constant(name: str, value: np.ndarray[Any, Any]) -> str:
        weights.append(numpy_helper.from_array(value, name))
        return name

    nodes.append(helper.make_node("Transpose", ["mel"], ["layer_0"], perm=[1, 0, 2]))
    one_direction = constant("one_direction", np.array([1], dtype=np.int64))
    for layer in range(LAYERS):
        inputs = [
            f"layer_{layer}",
            constant(f"input_{layer}", by_onnx_gates(state[f"lstm.weight_ih_l{layer}"])[None]),
            constant(f"recurrent_{layer}", by_onnx_gates(state[f"lstm.weight_hh_l{layer}"])[None]),
            constant(f"bias_{layer}", np.concatenate([
                by_onnx_gates(state[f"lstm.bias_ih_l{layer}"]), by_onnx_gates(state[f"lstm.bias_hh_l{layer}"])
            ])[None]),
        ]  # fmt: skip
        nodes.append(helper.make_node("LSTM", inputs, [f"both_{layer}"], hidden_size=HIDDEN))
        nodes.append(helper.make_node("Squeeze", [f"both_{layer}", one_direction], [f"layer_{layer + 1}"]))
    linear = constant("linear", state["linear.weight"].T.copy())
    nodes += [
        helper.make_node("Gather", [f"layer_{LAYERS}", "ends"], ["ended"], axis=0),
        helper.make_node("Transpose", ["ended"], ["by_window"], perm=[1, 0, 2]),
        helper.make_node("MatMul", ["by_window", linear], ["mapped"]),
        helper.make_node("Add", ["mapped", constant("offset", state["linear.bias"])], ["shifted"]),
        helper.make_node("Relu", ["shifted"], ["rectified"]),
        helper.make_node("LpNormalization", ["rectified"], ["voices"], axis=-1, p=2),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "ge2e",
        [
            helper.make_tensor_value_info("mel", TensorProto.FLOAT, ["windows", "frames", BANDS]),
            helper.make_tensor_value_info("ends", TensorProto.INT64, ["ends"]),
        ],
        [helper.make_tensor_value_info("voices", TensorProto.FLOAT, ["windows", "ends", HIDDEN])],
        weights,
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="ge2e"
    )


def by_onnx_gates(stacked: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Torch stacks the gates as input, forget, cell, output; ONNX as input, output, forget, cell."""
    gate_in, forget, cell, out = np.split(stacked, 4)
    return np.concatenate([gate_in, out, forget, cell])


if __name__ == "__main__":
    main()
