"""Checkpoints of random weights that say what they were told to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.services.stt.whisper_dialect import no_warnings
from bench.whisper_weights import english_tokenizer, script, write_checkpoint


@pytest.mark.parametrize("tokens", [8, 25, 92, 200])
def test_so_many_tokens_with_times_in_pairs_and_the_end(tokens: int) -> None:
    tokenizer = english_tokenizer()
    said = script(tokenizer, tokens)
    times = [token for token in said if token >= tokenizer.timestamp_begin]
    assert len(said) == tokens
    assert said[-1] == tokenizer.eot
    assert times == sorted(times)
    assert len(times) % 2 == 0


def test_plain_whisper_says_the_script_once(tmp_path: Path) -> None:
    import torch
    import whisper

    torch.set_num_threads(1)
    model = whisper.load_model(str(write_checkpoint(tmp_path / "tiny.pt", "tiny", 12)), device="cpu")
    silence = np.zeros(2 * 30 * 16_000, dtype=np.float32)
    with no_warnings():
        heard = model.transcribe(
            silence, language="en", temperature=0.0, condition_on_previous_text=False, fp16=False
        )
    assert len(heard["segments"]) == 2
    assert all(len(segment["tokens"]) == 11 for segment in heard["segments"])
    assert all(segment["avg_logprob"] > -0.1 for segment in heard["segments"])
