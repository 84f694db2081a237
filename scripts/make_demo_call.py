"""Make the demo call: samples/demo_call.json read out by two free synthetic voices, as one small file."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import wave
from itertools import cycle
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
VOICES = {"agent": "rms", "customer": "slt"}
SAMPLE_RATE = 16_000
PACE = 1.05
"""How much longer than flite's own pace each sound lasts: a small recogniser follows it better."""
GAPS_S = (0.7, 0.9, 0.6, 0.8, 0.75)
"""Silence between turns, in turn: no chance in it, so that two runs give the same samples."""
EDGE_S = 0.5
SPEECH_RMS = 0.1
"""Root mean square of each turn's speech (full scale = 1), so that neither voice is the louder one."""
MP3 = ["-c:a", "libmp3lame", "-b:a", "48k", "-f", "mp3"]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--output", type=Path, default=SAMPLES / "demo_call.mp3")
    output: Path = arguments.parse_args().output
    if shutil.which("flite") is None:
        sys.exit("flite is missing: apt-get install flite (Debian, Ubuntu)")
    words = json.loads((SAMPLES / "demo_call.json").read_text(encoding="utf-8"))
    call = join([level(speak(turn["text"], VOICES[turn["role"]])) for turn in words["turns"]])
    encode(call, output)
    print(f"{output.name}: {call.size / SAMPLE_RATE:.2f} s, peak {np.abs(call).max():.2f}")


def speak(text: str, voice: str) -> NDArray[np.float64]:
    """Samples in [-1, 1] of ``text``, without the silence around it."""
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "turn.wav"
        voiced = ["flite", "-voice", voice, "--setf", f"duration_stretch={PACE}"]
        subprocess.run([*voiced, "-t", text, "-o", str(spoken)], check=True)
        with wave.open(str(spoken), "rb") as file:
            if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (SAMPLE_RATE, 1, 2):
                sys.exit(f"the voice {voice!r} does not speak at {SAMPLE_RATE} Hz")
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    heard = np.flatnonzero(np.abs(samples) > 0.005)
    return samples[max(0, heard[0] - SAMPLE_RATE // 50) : heard[-1] + SAMPLE_RATE // 25]


def level(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring the speech in ``samples`` to SPEECH_RMS; its pauses do not count."""
    frame = SAMPLE_RATE // 50
    power = np.square(samples[: samples.size // frame * frame].reshape(-1, frame)).mean(axis=1)
    speech = power[power > power.max() / 1000]
    return samples * (SPEECH_RMS / np.sqrt(speech.mean()))


def join(turns: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The turns with a gap after each; none speaks over another."""
    parts = [silence(EDGE_S)]
    for turn, gap_s in zip(turns, cycle(GAPS_S), strict=False):
        parts += [turn, silence(gap_s)]
    parts[-1] = silence(EDGE_S)
    return np.concatenate(parts)


def silence(length_s: float) -> NDArray[np.float64]:
    return np.zeros(round(length_s * SAMPLE_RATE))


def encode(samples: NDArray[np.float64], output: Path) -> None:
    """Write ``samples`` to ``output`` as MP3."""
    source = ["-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", "pipe:0"]
    # Nothing of the machine or the day goes into the file: two runs give the same bytes.
    plain = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"]
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    pcm = np.round(samples * 32767).astype("<i2").tobytes()
    subprocess.run([*program, *source, *MP3, *plain, str(output)], input=pcm, check=True)


if __name__ == "__main__":
    main()
