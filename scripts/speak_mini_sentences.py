"""Makes the recordings that the miniature Whisper is trained on: four sentences, spoken by eSpeak NG.

    python scripts/speak_mini_sentences.py        writes tests/models/mini_whisper_audio/

Beside each WAV (16 kHz, mono) goes what is said in it and when, as the synthesiser itself reports it.
"""

from __future__ import annotations

import ctypes
import json
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "models" / "mini_whisper_audio"
SENTENCES = {
    "greeting": ("en-us+f2", "Thank you for calling today."),
    "question": ("en-us+m3", "How soon could we get started?"),
    "objection": ("en-us+m3", "That is too expensive for us."),
    "promise": ("en-us+f2", "I will send you the proposal."),
}
RATE = 16_000
WORDS_PER_MINUTE = 150

SYNCHRONOUS = 2
CHARS_UTF8 = 1
PARAMETER_RATE = 1
EVENT_LIST_END = 0
EVENT_WORD = 1
QUIET = 0.01
"""Amplitude under which the edges of a recording are silence."""


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h; ``audio_position`` is in milliseconds."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Speaker:
    """eSpeak NG as the espeakng-loader wheel carries it."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path(), mode=ctypes.RTLD_GLOBAL)
        data = espeakng_loader.get_data_path().encode()
        self._rate = self._library.espeak_Initialize(SYNCHRONOUS, 0, data, 0)
        if self._rate <= 0:
            raise RuntimeError("eSpeak NG does not start")

    def say(self, text: str, voice: str) -> tuple[NDArray[np.float64], list[float]]:
        """The samples at ``RATE``, in [-1, 1], and the second at which each word begins."""
        chunks: list[NDArray[np.int16]] = []
        starts: list[float] = []

        def collect(samples: object, count: int, events: object) -> int:
            if count:
                chunks.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
            index = 0
            while events[index].type != EVENT_LIST_END:  # type: ignore[index]
                if events[index].type == EVENT_WORD:  # type: ignore[index]
                    starts.append(events[index].audio_position / 1000)  # type: ignore[index]
                index += 1
            return 0

        callback = _Callback(collect)
        self._library.espeak_SetSynthCallback(callback)
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise RuntimeError(f"eSpeak NG has no voice {voice}")
        self._library.espeak_SetParameter(PARAMETER_RATE, WORDS_PER_MINUTE, 0)
        spoken = text.encode()
        self._library.espeak_Synth(spoken, len(spoken) + 1, 0, 0, 0, CHARS_UTF8, None, None)
        return _resampled(np.concatenate(chunks) / 32768, self._rate), starts


def _resampled(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """To ``RATE``, which is lower, by cutting the spectrum off."""
    length = round(len(samples) * RATE / rate)
    spectrum = np.fft.rfft(samples)[: length // 2 + 1]
    return np.fft.irfft(spectrum, length) * (length / len(samples))


def _trimmed(samples: NDArray[np.float64], starts: list[float]) -> tuple[NDArray[np.float64], list[float]]:
    loud = np.flatnonzero(np.abs(samples) > QUIET)
    first, last = int(loud[0]), int(loud[-1]) + 1
    shift_s = first / RATE
    return samples[first:last], [max(0.0, start - shift_s) for start in starts]


def main() -> None:
    speaker = Speaker()
    FOLDER.mkdir(parents=True, exist_ok=True)
    truth = {}
    for name, (voice, text) in SENTENCES.items():
        samples, starts = _trimmed(*speaker.say(text, voice))
        words = text.split()
        if len(starts) != len(words):
            raise RuntimeError(f"{name}: {len(starts)} word times for {len(words)} words")
        ends = [*starts[1:], len(samples) / RATE]
        with wave.open(str(FOLDER / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        truth[name] = {
            "text": text,
            "words": [
                {"text": word, "start": round(start, 3), "end": round(end, 3)}
                for word, start, end in zip(words, starts, ends, strict=True)
            ],
        }
    (FOLDER / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")


if __name__ == "__main__":
    main()
