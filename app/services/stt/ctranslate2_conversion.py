"""Converts an openai-whisper checkpoint to a folder that faster-whisper opens without asking the network.

CTranslate2's own converter reads HuggingFace checkpoints. The layout of the weights here is that of its
``WhisperLoader``, filled from the state that openai-whisper saves; the vocabulary, the tokens never said and
the tokenizer come from the assets of the openai-whisper package.
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

from app.services.stt.whisper_dialect import no_warnings
from app.services.stt.whisper_tokenizer import build_tokenizer, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ctranslate2.specs import WhisperSpec
    from whisper.model import ModelDimensions
    from whisper.tokenizer import Tokenizer

MULTILINGUAL_FROM = 51_865
"""Tokens of the smallest multilingual vocabulary; an English-only one has one less."""
OTHER_TOKENS = 51_765
"""Tokens of an English-only vocabulary but for its 99 languages; multilingual ones have one more."""


def convert(checkpoint: Path, folder: Path, alignment_heads: bytes | None = None) -> None:
    """Write model.bin, config.json, vocabulary.json, tokenizer.json and preprocessor_config.json.

    ``folder`` exists and is empty. ``alignment_heads``: the heads of the decoder whose attention follows the
    time of words, as openai-whisper writes them down; None takes all of its later half, as it does. Weights
    keep the precision in which they are stored. No code in the file is run. Raises OSError, and for a file
    that is no checkpoint whatever torch makes of it (KeyError, RuntimeError, pickle.UnpicklingError).
    """
    import torch
    from whisper.model import ModelDimensions
    from whisper.tokenizer import get_tokenizer

    with no_warnings():
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
        dims = ModelDimensions(**content["dims"])
        is_multilingual = dims.n_vocab >= MULTILINGUAL_FROM
        languages = dims.n_vocab - OTHER_TOKENS - is_multilingual
        tokenizer = get_tokenizer(is_multilingual, num_languages=languages)
    spec = _filled(dims, content["model_state_dict"])
    spec.register_vocabulary(vocabulary(tokenizer.encoding))
    _configure(spec, dims, tokenizer, alignment_heads)
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    build_tokenizer(tokenizer.encoding).save(str(folder / "tokenizer.json"))
    features = {
        "feature_size": dims.n_mels,
        "sampling_rate": 16_000,
        "hop_length": 160,
        "chunk_length": 30,
        "n_fft": 400,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(features, indent=2))


def _configure(
    spec: WhisperSpec, dims: ModelDimensions, tokenizer: Tokenizer, alignment_heads: bytes | None
) -> None:
    never_said = {
        *tokenizer.non_speech_tokens,
        tokenizer.transcribe,
        tokenizer.translate,
        tokenizer.sot,
        tokenizer.sot_prev,
        tokenizer.sot_lm,
        tokenizer.no_speech,
    }
    spec.config.suppress_ids = sorted(never_said)
    spec.config.suppress_ids_begin = [*tokenizer.encode(" "), tokenizer.eot]
    spec.config.lang_ids = sorted(tokenizer.all_language_tokens)
    spec.config.alignment_heads = _heads(dims, alignment_heads)


def _heads(dims: ModelDimensions, written: bytes | None) -> list[list[int]]:
    """(layer, head) pairs; ``written``: base 85 of a gzip of booleans, shape (layers, heads)."""
    import numpy as np

    shape = (dims.n_text_layer, dims.n_text_head)
    if written is None:
        chosen = np.zeros(shape, dtype=bool)
        chosen[dims.n_text_layer // 2 :] = True
    else:
        chosen = np.frombuffer(gzip.decompress(base64.b85decode(written)), dtype=bool).reshape(shape)
    return [[int(layer), int(head)] for layer, head in np.argwhere(chosen)]


def _filled(dims: ModelDimensions, state: Mapping[str, Any]) -> WhisperSpec:
    from ctranslate2.specs import WhisperSpec

    spec = WhisperSpec(dims.n_audio_layer, dims.n_audio_head, dims.n_text_layer, dims.n_text_head)
    encoder, decoder = spec.encoder, spec.decoder
    _set(encoder.conv1, state, "encoder.conv1")
    _set(encoder.conv2, state, "encoder.conv2")
    encoder.position_encodings.encodings = state["encoder.positional_embedding"]
    _set_norm(encoder.layer_norm, state, "encoder.ln_post")
    for index, layer in enumerate(encoder.layer):
        _set_block(layer, state, f"encoder.blocks.{index}")
    decoder.embeddings.weight = decoder.projection.weight = state["decoder.token_embedding.weight"]
    decoder.position_encodings.encodings = state["decoder.positional_embedding"]
    _set_norm(decoder.layer_norm, state, "decoder.ln")
    for index, layer in enumerate(decoder.layer):
        block = f"decoder.blocks.{index}"
        _set_block(layer, state, block)
        _set_norm(layer.attention.layer_norm, state, f"{block}.cross_attn_ln")
        _set_fused(layer.attention.linear[0], state, f"{block}.cross_attn", "query")
        _set_fused(layer.attention.linear[1], state, f"{block}.cross_attn", "key", "value")
        _set(layer.attention.linear[2], state, f"{block}.cross_attn.out")
    return spec


def _set_block(layer: Any, state: Mapping[str, Any], block: str) -> None:
    _set_norm(layer.self_attention.layer_norm, state, f"{block}.attn_ln")
    _set_fused(layer.self_attention.linear[0], state, f"{block}.attn", "query", "key", "value")
    _set(layer.self_attention.linear[1], state, f"{block}.attn.out")
    _set_norm(layer.ffn.layer_norm, state, f"{block}.mlp_ln")
    _set(layer.ffn.linear_0, state, f"{block}.mlp.0")
    _set(layer.ffn.linear_1, state, f"{block}.mlp.2")


def _set(spec: Any, state: Mapping[str, Any], name: str) -> None:
    spec.weight, spec.bias = state[f"{name}.weight"], state[f"{name}.bias"]


def _set_norm(spec: Any, state: Mapping[str, Any], name: str) -> None:
    spec.gamma, spec.beta = state[f"{name}.weight"], state[f"{name}.bias"]


def _set_fused(spec: Any, state: Mapping[str, Any], attention: str, *parts: str) -> None:
    """One matrix in place of several; keys have no bias of their own."""
    import torch

    weights = [state[f"{attention}.{part}.weight"] for part in parts]
    spec.weight = torch.cat(weights)
    spec.bias = torch.cat(
        [
            state.get(f"{attention}.{part}.bias", weight.new_zeros(len(weight)))
            for part, weight in zip(parts, weights, strict=True)
        ]
    )
