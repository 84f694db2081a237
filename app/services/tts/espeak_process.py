"""Reads text from standard input and has eSpeak NG, driven by pyttsx3, speak it into a WAV file.

Run as a script, one process a text: ``python -P espeak_process.py VOICE WORDS_PER_MINUTE LIFE_S FILE``. The
exit code is 0 when all of it was spoken. It imports nothing of the service.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> int:
    voice, words_per_minute, life_s, target = arguments
    # Ends this process even in the middle of the library, when the service that waits for it is gone.
    signal.alarm(int(life_s))
    text = sys.stdin.buffer.read().decode("utf-8")
    if find_spec("espeakng_loader") is not None:
        _use_carried_library()
    errors: list[BaseException | None] = []
    # The file is written in a call from the library, out of which no exception comes (a full disk, say).
    sys.unraisablehook = lambda report: errors.append(report.exc_value)
    engine = _synchronous_engine()
    engine.connect("error", lambda **report: errors.append(report["exception"]))
    engine.setProperty("voice", voice)
    engine.setProperty("rate", int(words_per_minute))
    engine.save_to_file(text, target)
    engine.runAndWait()
    if errors:
        sys.stderr.write(f"{type(errors[0]).__name__}: {errors[0]}\n")
    return 1 if errors else 0


def _use_carried_library() -> None:
    """Give pyttsx3 the eSpeak NG of the espeakng-loader wheel, with the voices that were made for it."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path(), mode=ctypes.RTLD_GLOBAL)
    # eSpeak NG cuts the path of its data after 159 characters, so that path is kept short.
    os.chdir(Path(espeakng_loader.get_data_path()).parent)
    os.environ["ESPEAK_DATA_PATH"] = "."
    # pyttsx3 tries fixed names, some of which (Homebrew's, say) lead to a library of another version.
    load_library = ctypes.cdll.LoadLibrary
    ctypes.cdll.LoadLibrary = lambda name: library  # type: ignore[method-assign]  # noqa: ARG005
    try:
        import pyttsx3.drivers._espeak  # noqa: F401
    finally:
        ctypes.cdll.LoadLibrary = load_library  # type: ignore[method-assign]


def _synchronous_engine() -> Any:
    """A pyttsx3 engine that speaks in this thread.

    As it comes (2.99), it speaks in a thread of the library's: runAndWait returns before a long text is
    spoken, five minutes of sound take 15 s, and the text is read far beyond its end (it is said to be ten
    times as long), which crashes on long ones. Speaking in this thread does none of this, but the last
    event, on which pyttsx3 writes the file, has to be sent.
    """
    import pyttsx3
    from pyttsx3.drivers import _espeak as espeak

    espeak.AUDIO_OUTPUT_RETRIEVAL = espeak.AUDIO_OUTPUT_SYNCHRONOUS
    engine = pyttsx3.init("espeak")
    last_events = (espeak.EVENT * 2)(
        espeak.EVENT(type=espeak.EVENT_MSG_TERMINATED), espeak.EVENT(type=espeak.EVENT_LIST_TERMINATED)
    )

    def speak(text: bytes, flags: int) -> None:
        # Bytes would be copied whole with every sentence: the time would grow with the square of the text.
        engine.proxy._driver._data_buffer = bytearray()
        code = espeak.cSynth(text, len(text) + 1, 0, espeak.POS_CHARACTER, 0, flags, None, None)
        if code != espeak.EE_OK:
            raise RuntimeError(f"eSpeak NG refused the text (code {code})")
        espeak.SynthCallback(None, 0, last_events)

    espeak.Synth = speak
    return engine


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
