"""Reads text from standard input and has a Piper voice speak it into a WAV file.

Run as a script, one process a text: ``python -P piper_process.py VOICE.onnx LIFE_S FILE``, with the voice's
``VOICE.onnx.json`` beside it. The exit code is 0 when all of it was spoken. It imports nothing of the
service.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
import wave
from pathlib import Path
from typing import Any

LINE_PAUSE_S = 0.3
SEED = 0


def main(arguments: list[str]) -> int:
    model, life_s, target = arguments
    # Ends this process even in the middle of the library, when the service that waits for it is gone.
    signal.alarm(int(life_s))
    text = sys.stdin.buffer.read().decode("utf-8")
    # Piper logs phonemes that a voice lacks: they are words of the text.
    logging.disable(logging.CRITICAL)
    voice = _loaded(Path(model))
    rate = voice.config.sample_rate
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        for number, line in enumerate(_lines(text)):
            if number:
                file.writeframes(bytes(2 * round(LINE_PAUSE_S * rate)))
            for chunk in voice.synthesize(line):
                file.writeframes(chunk.audio_int16_bytes)
    return 0


def _loaded(model: Path) -> Any:
    """The voice as ``PiperVoice.load`` makes it, but on one thread: the cores belong to the calls in work."""
    import onnxruntime
    from piper import PiperConfig, PiperVoice

    # Voices draw random numbers: the same ones for every text.
    onnxruntime.set_seed(SEED)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    config = json.loads(model.with_name(f"{model.name}.json").read_text(encoding="utf-8"))
    return PiperVoice(session=session, config=PiperConfig.from_dict(config))


def _lines(text: str) -> list[str]:
    """The lines that hold something; double brackets, which would be read as phonemes, are taken apart."""
    return [line.replace("[[", "[ [") for line in text.splitlines() if line.strip()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
