"""Whisper checkpoints in the true sizes, with random weights that say a given number of tokens.

Arithmetic takes the same time whatever the weights are; how often it is done does not: a decoder of random
weights says nonsense until it may say no more. Here the blocks of the decoder compute what they always do but
add next to nothing, so that the embedding of a position alone decides which token follows it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.services.stt.whisper_dialect import no_warnings

if TYPE_CHECKING:
    from whisper.model import Whisper
    from whisper.tokenizer import Tokenizer

Size = Literal["tiny", "base"]

SIZES: dict[Size, tuple[int, int, int]] = {"tiny": (384, 6, 4), "base": (512, 8, 6)}
"""State, heads and layers of each, the same in the encoder and in the decoder."""
BANDS, FRAMES, VOCABULARY, LONGEST = 80, 1500, 51_865, 448
SEED = 20261123
SPREAD, TOKEN_SPREAD = 0.02, 0.06
"""Standard deviations of the weights, and of the tokens' embeddings: far enough apart to be sure of each."""
STILL = 1e-3
"""What a decoder's block adds is scaled down by it."""
CERTAINTY = 30.0
"""By so much the embedding of a position outweighs that of the token there."""
TOKENS_IN_SEGMENT = 24
SPOKEN_S = 28.0
SCRIPT = Path(__file__).parent.parent / "samples" / "demo_call.json"


def write_checkpoint(path: Path, size: Size, tokens: int) -> Path:
    """Write a multilingual checkpoint of openai-whisper's form that says ``tokens`` tokens in every window.

    Times and the end count among them, so that at least 8 are needed; English words of the demo call are in
    segments between them, the last of which ends the window. Checkpoints with different ``tokens`` are
    otherwise the same.
    """
    import torch

    model, tokenizer = _random_model(size), english_tokenizer()
    said = script(tokenizer, tokens)
    # Position 0 holds the start, at which the language is told, position 1 the language.
    follows = [tokenizer.sot_sequence[1], tokenizer.sot_sequence[2], *said]
    decoder = model.decoder
    with torch.no_grad():
        for block in decoder.blocks:
            for layer in (block.attn.out, block.cross_attn.out, block.mlp[2]):
                layer.weight.mul_(STILL)
                layer.bias.zero_()
        towards = decoder.token_embedding.weight[follows]
        decoder.positional_embedding[: len(follows)] = CERTAINTY * towards
        decoder.positional_embedding[len(follows) :] = CERTAINTY * towards[-1]
    torch.save({"dims": asdict(model.dims), "model_state_dict": model.state_dict()}, path)
    return path


def script(tokenizer: Tokenizer, count: int) -> list[int]:
    """``count`` tokens: words in segments with their times, and the end."""
    turns = json.loads(SCRIPT.read_text("utf-8"))["turns"]
    words = [token for turn in turns for token in tokenizer.encode(f" {turn['text']}")]
    segments = max(1, round((count - 1) / TOKENS_IN_SEGMENT))
    spoken = count - 1 - 2 * segments
    if spoken < segments:
        raise ValueError(f"{count} tokens are too few for words, times and the end")
    said: list[int] = []
    for number in range(segments):
        first, last = (spoken * edge // segments for edge in (number, number + 1))
        began, ended = (round(50 * SPOKEN_S * edge / segments) for edge in (number, number + 1))
        said += [tokenizer.timestamp_begin + began, *words[first:last], tokenizer.timestamp_begin + ended]
    return [*said, tokenizer.eot]


def _random_model(size: Size) -> Whisper:
    import torch
    from whisper.model import ModelDimensions, Whisper

    state, heads, layers = SIZES[size]
    model = Whisper(
        ModelDimensions(BANDS, FRAMES, state, heads, layers, VOCABULARY, LONGEST, state, heads, layers)
    )
    chance = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.dim() > 1:
                spread = TOKEN_SPREAD if name == "decoder.token_embedding.weight" else SPREAD
                weights.normal_(0.0, spread, generator=chance)
            else:
                weights.fill_(1.0 if "ln" in name and name.endswith("weight") else 0.0)
    return model


def english_tokenizer() -> Tokenizer:
    from whisper.tokenizer import get_tokenizer

    with no_warnings():  # it leaves its file open
        return get_tokenizer(multilingual=True, language="en", task="transcribe")
