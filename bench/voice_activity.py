"""What voice activity keeps of speech and lets through of everything else; its time and memory."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.core.config import Settings
from app.schemas.audio import SAMPLE_RATE, Audio, Span
from app.services.audio.vad import VoiceActivity
from app.services.audio.windows import pack
from app.services.stt.base import SttRequest
from app.services.stt_service import SttService
from bench.memory import peak_mb
from bench.report import Figure, write
from tests.services.audio.nonspeech import MINUTE_S, made, sounds
from tests.services.audio.recordings import SHARED, make_decoder, real_recordings
from tests.services.audio.test_vad import LABELLED, db, heard_steps, labels, store

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KEPT, MOST_WORDS, MOST_TIME, MOST_MEMORY_MB = 0.98, 1.0, 0.003, 40.0
FILES = ("silence_2s.wav", "noise_5s_16k.wav", "leopard_empty.wav", "apollo11_noisy.mp3")
WAITS = ("ring US", "band, telephone", "strings, telephone", "organ", "brown noise")
WAIT_S = 40
FOREIGN = (
    "leopard_test_de.wav",
    "leopard_test_es.wav",
    "leopard_test_fr.wav",
    "leopard_test_pt.wav",
    "coqui_ru.wav",
    "funasr_zh.wav",
)


@dataclass(frozen=True)
class Let:
    """What of one sound reaches the engine."""

    name: str
    kind: str
    level_db: float
    length_s: float
    passed_s: float
    words: int


class Listener:
    """Voice activity, and the embedded recogniser on what it finds, as the service runs them."""

    def __init__(self) -> None:
        self.activity = VoiceActivity()
        self.activity.load()
        self._stt = SttService(Settings(_env_file=None, stt_provider="pocketsphinx"))
        self._stt.load("pocketsphinx")

    def words(self, audio: Audio, spans: Sequence[Span]) -> int:
        requests = [SttRequest(window.samples(audio), "en", window) for window in pack(spans)]
        return sum(len(part.words) for part in self._stt.transcribe("pocketsphinx", requests))


def measure() -> list[Figure]:
    listener = Listener()
    with tempfile.TemporaryDirectory() as folder:
        let = what_passes(listener, Path(folder))
        figures = _words_per_minute(let)
        if real_recordings():
            figures += kept_speech(listener.activity, Path(folder))
            figures.append(kept_after_a_wait(listener.activity, Path(folder)))
        costs = long_calls(Path(folder), (600, 7200))
    figures += [
        Figure(f"processor time over duration, {length_s // 60} min", cost, "", MOST_TIME)
        for length_s, (cost, _) in costs.items()
    ]
    figures += [
        Figure(f"memory beyond the loaded model, {length_s // 60} min", grown, "MB", MOST_MEMORY_MB)
        for length_s, (_, grown) in costs.items()
    ]
    write(
        "voice_activity", figures, lambda axes: _draw(axes, figures), {"sounds": [vars(each) for each in let]}
    )
    return figures


def what_passes(listener: Listener, folder: Path) -> list[Let]:
    found = []
    for sound in sounds():
        for level_db, samples in sound.at_levels():
            audio = store(samples, folder / "sound.pcm")
            found.append(_let(listener, sound.name, sound.kind, level_db, audio))
    if real_recordings():
        for file in FILES:
            audio = make_decoder().decode(SHARED / file, folder)
            found.append(_let(listener, file, file, 0.0, audio))
    return found


def _let(listener: Listener, name: str, kind: str, level_db: float, audio: Audio) -> Let:
    spans = listener.activity.detect(audio)
    passed_s = sum(span.length_s for span in spans)
    return Let(name, kind, level_db, audio.duration_s, round(passed_s, 2), listener.words(audio, spans))


def _words_per_minute(let: list[Let]) -> list[Figure]:
    kinds: dict[str, list[Let]] = defaultdict(list)
    for each in let:
        kinds[each.kind].append(each)
    figures = []
    for kind, members in kinds.items():
        minutes = sum(each.length_s for each in members) / MINUTE_S
        passed = sum(each.passed_s for each in members) / minutes
        has_speech = kind == "apollo11_noisy.mp3"
        figures.append(Figure(f"seconds passed in a minute of {kind}", passed, "s"))
        if not has_speech:
            worst = max(each.words * MINUTE_S / max(each.length_s, MINUTE_S) for each in members)
            limit = 0.0 if kind in ("silence", "silence_2s.wav") else MOST_WORDS
            figures.append(Figure(f"words in a minute of {kind}, worst recording", worst, "", limit))
    return figures


def kept_speech(activity: VoiceActivity, folder: Path) -> list[Figure]:
    """Share of the audible labelled steps that pass."""
    figures = []
    for level_db in (0, -20):
        spoken = passed = 0
        for recording in real_recordings():
            if recording.file in LABELLED:
                samples = make_decoder().decode(recording.path, folder).read()
                speaker, audible = labels(recording, samples)
                spans = activity.detect(store(samples * db(level_db), folder / "quiet.pcm"))
                speech = (speaker > 0) & audible
                spoken += int(speech.sum())
                passed += int((speech & heard_steps(spans, len(speech))).sum())
        name = f"share of labelled speech that passes at {level_db} dB"
        figures.append(Figure(name, passed / spoken, "", KEPT, at_most=False))
    return figures


def kept_after_a_wait(activity: VoiceActivity, folder: Path) -> Figure:
    """Share of what is heard of recordings alone that is heard behind 40 s of ringing, music or noise too."""
    wanted = heard = 0
    for wait in (made(name)[: WAIT_S * SAMPLE_RATE] * db(-12) for name in WAITS):
        for file in FOREIGN:
            speech = make_decoder().decode(SHARED / file, folder).read()
            steps = len(speech) // 512
            alone = heard_steps(activity.detect(store(speech, folder / "a.pcm")), steps)
            late = activity.detect(store(np.concatenate((wait, speech)), folder / "b.pcm"))
            after = heard_steps(late, steps + len(wait) // 512)[len(wait) // 512 :]
            wanted += int(alone.sum())
            heard += int((alone & after[:steps]).sum())
    return Figure(
        "share of speech that passes behind 40 s of other sound", heard / wanted, "", KEPT, at_most=False
    )


def long_calls(folder: Path, lengths_s: Sequence[int]) -> dict[int, tuple[float, float]]:
    """Processor time over duration, and MB beyond the loaded model, each in a process of its own."""
    costs = {}
    for length_s in lengths_s:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            costs[length_s] = pool.apply(_run_long, (folder / "long.pcm", length_s))
    return costs


def _run_long(path: Path, length_s: int) -> tuple[float, float]:
    """Two channels, of which one is heard: turns of noise in syllables, as dear as any other sound."""
    audio = _two_channels(path, length_s)
    activity = VoiceActivity()
    activity.load()
    activity.detect(Audio(path, SAMPLE_RATE, channel_count=2, channel=0))
    loaded_mb = peak_mb()
    began = time.process_time()
    activity.detect(audio.of_channel(0))
    computed = time.process_time() - began
    return computed / length_s, peak_mb() - loaded_mb


def _two_channels(path: Path, length_s: int) -> Audio:
    random: Any = np.random.default_rng(0)
    with path.open("wb") as target:
        for second in range(length_s):
            loud = 3000 if second // 4 % 2 else 10
            random.normal(0, loud, (SAMPLE_RATE, 2)).clip(-32768, 32767).astype("<i2").tofile(target)
    return Audio(path, length_s * SAMPLE_RATE, channel_count=2)


def _draw(axes: Axes, figures: list[Figure]) -> None:
    """Each figure that has a target, as a share of it; what must be at least the target points to 1 too."""
    shown = [figure for figure in reversed(figures) if figure.target]
    shares = [figure.value / (figure.target or 1.0) for figure in shown]
    colours = ["#3b6ea8" if figure.met else "#b03a2e" for figure in shown]
    axes.barh([figure.name for figure in shown], shares, color=colours)
    axes.axvline(1.0, color="#444444", linewidth=0.8)
    axes.set_xlabel("share of the target (kept speech: at least 1, the rest: at most)")
    axes.tick_params(axis="y", labelsize=6)


if __name__ == "__main__":
    measure()
