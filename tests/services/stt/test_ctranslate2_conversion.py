"""Converted weights compute what the checkpoint computes, for every shape that Whisper comes in."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.services.stt.ctranslate2_conversion import convert
from app.services.stt.whisper_dialect import no_warnings
from tests.services.stt.makers import MINI, closed_network, write_trap

ENGLISH, MULTILINGUAL, LARGE_V3 = (51_864, 80), (51_865, 80), (51_866, 128)
SHAPES = pytest.mark.parametrize("shape", [ENGLISH, MULTILINGUAL, LARGE_V3], ids=["en", "base", "large-v3"])
MULTILINGUAL_NEVER_SAID = [
    1, 2, 7, 8, 9, 10, 14, 25, 26, 27, 28, 29, 31, 58, 59, 60, 61, 62, 63, 90, 91, 92, 93, 359, 503, 522,
    542, 873, 893, 902, 918, 922, 931, 1350, 1853, 1982, 2460, 2627, 3246, 3253, 3268, 3536, 3846, 3961, 4183,
    4667, 6585, 6647, 7273, 9061, 9383, 10428, 10929, 11938, 12033, 12331, 12562, 13793, 14157, 14635, 15265,
    15618, 16553, 16604, 18362, 18956, 20075, 21675, 22520, 26130, 26161, 26435, 28279, 29464, 31650, 32302,
    32470,    36865, 42863, 47425, 49870, 50254, 50258, 50358, 50359, 50360, 50361, 50362,
]  # fmt: skip
"""``suppress_tokens`` as published with the HuggingFace form of openai/whisper-base."""
BASE_HEADS = [[3, 1], [4, 2], [4, 3], [4, 7], [5, 1], [5, 2], [5, 4], [5, 6]]
"""``alignment_heads`` as published there."""


def checkpoint_of(folder: Path, shape: tuple[int, int], layers: int = 2, heads: int = 2) -> Path:
    """Random weights in half precision; every tensor differs from every other."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    words, bands = shape
    dims = ModelDimensions(bands, 1500, 16 * heads, heads, layers, words, 448, 16 * heads, heads, layers)
    drawing = torch.Generator().manual_seed(3)
    state = {
        name: (torch.randn(value.shape, generator=drawing) * 0.2).half()
        for name, value in Whisper(dims).state_dict().items()
    }
    path = folder / "random.pt"
    torch.save({"dims": vars(dims), "model_state_dict": state}, path)
    return path


def tokenizer_of(shape: tuple[int, int]) -> Any:
    from whisper.tokenizer import get_tokenizer

    with no_warnings():
        return get_tokenizer(shape != ENGLISH, num_languages=100 if shape == LARGE_V3 else 99)


def converted(checkpoint: Path, folder: Path, heads: bytes | None = None) -> Path:
    folder.mkdir()
    with closed_network() as tried:
        convert(checkpoint, folder, heads)
    assert tried == []
    return folder


@SHAPES
def test_the_same_numbers_come_out(shape: tuple[int, int], tmp_path: Path) -> None:
    import ctranslate2
    import torch
    import whisper

    checkpoint = checkpoint_of(tmp_path, shape)
    folder = converted(checkpoint, tmp_path / "converted")
    ours = ctranslate2.models.Whisper(str(folder), compute_type="float32", intra_threads=1)
    with no_warnings():
        theirs = whisper.load_model(str(checkpoint), device="cpu").eval()
    assert (ours.is_multilingual, ours.n_mels) == (theirs.is_multilingual, shape[1])
    spoken = tokenizer_of(shape)
    heard = np.random.default_rng(0).standard_normal((1, shape[1], 3000)).astype(np.float32)
    encoded = ours.encode(ctranslate2.StorageView.from_array(heard))
    with torch.no_grad():
        expected = theirs.encoder(torch.from_numpy(heard))
        np.testing.assert_allclose(np.array(encoded), expected.numpy(), atol=1e-3)
        prompt = [*spoken.sot_sequence, spoken.no_timestamps]
        tokens = [1000, 2000, 3000]
        logits = theirs.decoder(torch.tensor([prompt + tokens]), expected)[0, len(prompt) - 1 : -1]
    (aligned,) = ours.align(encoded, list(spoken.sot_sequence), [tokens], 3000)
    probabilities = logits[:, : spoken.eot].softmax(dim=-1)[range(3), tokens]
    np.testing.assert_allclose(aligned.text_token_probs, probabilities.numpy(), rtol=2e-3)


@SHAPES
def test_what_the_folder_says_is_what_whisper_says(shape: tuple[int, int], tmp_path: Path) -> None:
    folder = converted(checkpoint_of(tmp_path, shape), tmp_path / "converted")
    config = json.loads((folder / "config.json").read_text())
    spoken = tokenizer_of(shape)
    assert config["lang_ids"] == sorted(spoken.all_language_tokens)
    assert config["suppress_ids_begin"] == [220, spoken.eot]
    assert config["alignment_heads"] == [[1, 0], [1, 1]]
    assert json.loads((folder / "preprocessor_config.json").read_text())["feature_size"] == shape[1]
    assert len(json.loads((folder / "vocabulary.json").read_text())) == shape[0]
    if shape == MULTILINGUAL:
        assert config["suppress_ids"] == MULTILINGUAL_NEVER_SAID


def test_published_alignment_heads_are_read(tmp_path: Path) -> None:
    import whisper

    checkpoint = checkpoint_of(tmp_path, MULTILINGUAL, layers=6, heads=8)
    folder = converted(checkpoint, tmp_path / "converted", whisper._ALIGNMENT_HEADS["base"])
    assert json.loads((folder / "config.json").read_text())["alignment_heads"] == BASE_HEADS


def test_the_precision_stays(tmp_path: Path) -> None:
    folder = converted(MINI, tmp_path / "converted")
    assert (folder / "model.bin").stat().st_size == pytest.approx(MINI.stat().st_size, rel=0.1)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_pickle_offered_as_weights_is_not_executed(tmp_path: Path, zipped: bool) -> None:
    weights, trap = write_trap(tmp_path, zipped=zipped)
    with pytest.raises(pickle.UnpicklingError):
        convert(weights, tmp_path)
    assert not trap.exists()
