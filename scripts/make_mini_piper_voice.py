"""Makes the miniature Piper voice of the tests: one tone a phoneme, in the form of a real voice.

    python scripts/make_mini_piper_voice.py FOLDER [LANGUAGE]      writes FOLDER/xx_XX-mini-low.onnx and .json

The network has the inputs and outputs of a VITS model exported by Piper (``input``, ``input_lengths`` and
``scales`` in, ``output`` out) and the random noise of one, so that Piper loads and drives it as it is.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

RATE = 16_000
TONE_SAMPLES = 640
"""Length of one phoneme id, pads included, at a length scale of 1."""
LOWEST_HZ = 150.0
HALF_TONE = 2 ** (1 / 24)
NOISE_SHARE = 0.02
SYMBOLS = 256
OPSET = 17


def write_voice(folder: Path, language: str = "en", region: str = "US") -> Path:
    """Write the voice into ``folder`` and return the path of its ``.onnx`` file."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{language}_{region}-mini-low.onnx"
    model = voice_model()
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString())
    config = voice_config(language, region)
    target.with_name(f"{target.name}.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    return target


def voice_config(language: str, region: str) -> dict[str, object]:
    """What a voice of Piper's collection says of itself."""
    return {
        "audio": {"sample_rate": RATE, "quality": "low"},
        "espeak": {"voice": f"{language}-{region}".lower() if language == "en" else language},
        "language": {"code": f"{language}_{region}", "family": language, "region": region},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "num_symbols": SYMBOLS,
        "num_speakers": 1,
        "speaker_id_map": {},
        "piper_version": "1.0.0",
    }


def voice_model() -> onnx.ModelProto:
    """Phoneme ids to a tone each, its phase carried on, with a little noise: all of it standard operators."""
    tones_hz = LOWEST_HZ * HALF_TONE ** np.arange(SYMBOLS)
    constants = {
        "steps": (2 * math.pi * tones_hz / RATE).astype(np.float32),
        "one": np.array([1], np.int64),
        "time_axis": np.array(1, np.int64),
        "length_at": np.array([1], np.int64),
        "noise_at": np.array([0], np.int64),
        "tone_samples": np.array([TONE_SAMPLES], np.float32),
        "column": np.array([2], np.int64),
        "row": np.array([1, -1], np.int64),
        "sound": np.array([1, 1, 1, -1], np.int64),
        "noise_share": np.array([NOISE_SHARE], np.float32),
    }
    nodes = [
        helper.make_node("Gather", ["steps", "input"], ["step_of_id"]),
        helper.make_node("Unsqueeze", ["step_of_id", "column"], ["step_column"]),
        helper.make_node("Gather", ["scales", "length_at"], ["length_scale"]),
        helper.make_node("Mul", ["length_scale", "tone_samples"], ["samples_of_id"]),
        helper.make_node("Cast", ["samples_of_id"], ["repeats"], to=TensorProto.INT64),
        helper.make_node("Concat", ["one", "input_lengths", "repeats"], ["shape"], axis=0),
        helper.make_node("Expand", ["step_column", "shape"], ["repeated"]),
        helper.make_node("Reshape", ["repeated", "row"], ["step_of_sample"]),
        helper.make_node("CumSum", ["step_of_sample", "time_axis"], ["phase"]),
        helper.make_node("Sin", ["phase"], ["tone"]),
        helper.make_node("RandomNormalLike", ["tone"], ["noise"]),
        helper.make_node("Gather", ["scales", "noise_at"], ["noise_scale"]),
        helper.make_node("Mul", ["noise_scale", "noise_share"], ["loudness"]),
        helper.make_node("Mul", ["noise", "loudness"], ["quiet_noise"]),
        helper.make_node("Add", ["tone", "quiet_noise"], ["spoken"]),
        helper.make_node("Reshape", ["spoken", "sound"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mini_voice",
        [
            helper.make_tensor_value_info("input", TensorProto.INT64, ["batch", "phonemes"]),
            helper.make_tensor_value_info("input_lengths", TensorProto.INT64, ["batch"]),
            helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
        ],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 1, 1, "time"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    # The version of the format that onnxruntime of the last years reads.
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


if __name__ == "__main__":
    print(write_voice(Path(sys.argv[1]), *sys.argv[2:]))
