"""Diarization error rate of `voiceprint` where speaker times are known; its time and memory on two hours."""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.core.config import Settings
from app.schemas.audio import SAMPLE_RATE, Audio, ChannelKind, ChannelLayout, Span
from app.schemas.transcript import Transcript, Turn
from app.services.audio.vad import VoiceActivity
from app.services.diarization.base import DiarizationRequest
from app.services.diarization.voiceprint import VoiceprintEngine
from app.workers.engine_process import child_environment
from bench.memory import forget_peak, peak_mb, resident_mb
from bench.report import Figure, write
from tests.services.audio.recordings import SHARED
from tests.services.diarization.calls import AGENT, CALLER, Samples, Times, samples_of, store, times_by_energy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELLED = ("callytics_Call01.wav", "ami_dev00.wav", "falcon_three_speakers.wav")
TARGETS = {"repairs 49, mono": 0.12, "callytics_Call01.wav": 0.05, "ami_dev00.wav": 0.25}
READERS = (
    ("librivox_sonnet1_en.mp3", "deepgram_preamble_22k.wav"),
    ("librivox_simplicissimus_de.mp3", "librivox_sonnet1_en.mp3"),
    ("mls_es_13697.opus", "deepgram_preamble_22k.wav"),
    ("jfk_16k.wav", "mfa_acoustic_corpus.wav"),
)
LEVEL, NOISE = 0.08, 0.0008
LONG_S = 7200
MOST_COST, MOST_MEMORY_MB = 0.05, 300.0


@dataclass(frozen=True)
class Case:
    name: str
    audio: Audio
    truth: Times


@dataclass(frozen=True)
class Score:
    """Shares of the speech in the truth; overlapping speech counts once for each speaker."""

    name: str
    error: float
    missed: float
    false_alarm: float
    confusion: float
    speakers: int
    true_speakers: int
    cost: float
    """Seconds of computation for each second of recording."""


def measure() -> list[Figure]:
    engine = make_engine()
    with tempfile.TemporaryDirectory() as folder:
        scores = [score(case, engine) for case in cases(Path(folder))]
        for each in scores:
            print(line(each), flush=True)
        cost, wall, memory_mb = long_call(Path(folder))
    figures = [
        Figure(f"DER, {each.name}", each.error, "", TARGETS.get(each.name, _target(each.name)))
        for each in scores
    ]
    figures += [
        Figure("two hours: processor time over duration", cost, "", MOST_COST),
        Figure("two hours: wall time over duration, at the load stated above", wall, ""),
        Figure("two hours: memory beyond the loaded model", memory_mb, "MB", MOST_MEMORY_MB),
    ]
    write(
        "diarization", figures, lambda axes: _draw(axes, scores), {"scores": [vars(each) for each in scores]}
    )
    return figures


def make_engine() -> VoiceprintEngine:
    engine = VoiceprintEngine(Settings(_env_file=None))
    engine.load()
    return engine


def score(case: Case, engine: VoiceprintEngine) -> Score:
    """With pyannote.metrics: no collar, overlap counted."""
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    began = time.process_time()
    turns = turns_of(case.audio, VoiceActivity().detect(case.audio), engine)
    cost = (time.process_time() - began) / case.audio.duration_s
    truth, found = Annotation(), Annotation()
    for track, (start, end, name) in enumerate(case.truth):
        truth[Segment(start, end), track] = name
    for track, turn in enumerate(turns):
        found[Segment(turn.start_s, turn.end_s), track] = str(turn.speaker)
    parts = DiarizationErrorRate()(truth, found, uem=Segment(0.0, case.audio.duration_s), detailed=True)
    missed, false_alarm, confusion = (
        float(parts[part] / parts["total"]) for part in ("missed detection", "false alarm", "confusion")
    )
    return Score(
        case.name, float(parts["diarization error rate"]), missed, false_alarm, confusion,
        len({turn.speaker for turn in turns}), len({name for *_, name in case.truth}), cost,
    )  # fmt: skip


def turns_of(audio: Audio, speech: tuple[Span, ...], engine: VoiceprintEngine) -> tuple[Turn, ...]:
    layout = ChannelLayout(ChannelKind.MONO, (audio,), ((),))
    return engine.diarize(DiarizationRequest(layout, (speech,), Transcript((), None)))


def line(each: Score) -> str:
    return (
        f"{each.error:6.1%}  missed {each.missed:5.1%}  false alarm {each.false_alarm:5.1%}  "
        f"confusion {each.confusion:5.1%}  speakers {each.speakers} of {each.true_speakers}  "
        f"time {each.cost:5.1%}  {each.name}"
    )


def cases(folder: Path) -> Iterator[Case]:
    if not (SHARED / "manifest.json").is_file():
        return
    sides = _repair_sides(folder)
    yield _mixed("repairs 49, mono", sides, folder)
    entries: list[dict[str, Any]] = json.loads((SHARED / "manifest.json").read_text("utf-8"))
    for entry in entries:
        if entry["file"] in LABELLED:
            truth = [(part["start"], part["end"], part["speaker"]) for part in entry["segments"]]
            samples = samples_of(entry["file"], folder / entry["file"])
            yield Case(entry["file"], store(samples, folder / "labelled.pcm"), truth)
    for number, files in enumerate(READERS):
        readers = [_levelled(samples_of(file, folder / file)) for file in files]
        for share, kind in ((0.0, "no overlap"), (0.5, "overlap")):
            made = conversation(readers, share, seed=number)
            yield _mixed(f"readers {number + 1}, {kind}", made, folder)


def conversation(readers: list[Samples], overlap: float, seed: int) -> dict[str, Samples]:
    """Two readers taking turns, each in a channel of its own, until one has read everything.

    ``overlap``: share of the turns that begin before the last one has ended.
    """
    chance = np.random.default_rng(seed)
    length = sum(len(reader) for reader in readers) * 2
    sides = {str(index): np.zeros(length, dtype=np.float32) for index in range(len(readers))}
    read, at, turn = [0] * len(readers), SAMPLE_RATE // 2, 0
    while True:
        who = turn % len(readers)
        count = round(SAMPLE_RATE * min(10.0, 0.6 + chance.exponential(3.0)))
        part = readers[who][read[who] : read[who] + count]
        if len(part) < count:
            return {name: _through_line(side[: at + SAMPLE_RATE]) for name, side in sides.items()}
        sides[str(who)][at : at + count] += part
        read[who] += count
        early = chance.random() < overlap
        gap_s = (
            -min(chance.uniform(0.3, 1.5), 0.8 * count / SAMPLE_RATE) if early else chance.exponential(0.4)
        )
        at, turn = at + count + round(gap_s * SAMPLE_RATE), turn + 1


def long_call(folder: Path) -> tuple[float, float, float]:
    """Processor and wall time over duration, and MB beyond the model, in a process like the service's."""
    sides = _repair_sides(folder)
    os.environ["GLIBC_TUNABLES"] = child_environment(Settings())["GLIBC_TUNABLES"]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run_long, (_mixed("once", sides, folder).audio, folder / "long.pcm"))


def _run_long(once: Audio, path: Path) -> tuple[float, float, float]:
    copies = -(-LONG_S * SAMPLE_RATE // once.sample_count)
    with path.open("wb") as target:
        for _ in range(copies):
            target.write(once.pcm_path.read_bytes())
    audio = Audio(path, copies * once.sample_count)
    stretches = VoiceActivity().detect(once)
    speech = tuple(
        Span(span.start_s + copy * once.duration_s, span.end_s + copy * once.duration_s)
        for copy in range(copies)
        for span in stretches
    )
    engine = make_engine()
    forget_peak()
    loaded_mb = resident_mb()
    began, computed = time.monotonic(), time.process_time()
    turns_of(audio, speech, engine)
    wall, computed = time.monotonic() - began, time.process_time() - computed
    return computed / audio.duration_s, wall / audio.duration_s, peak_mb() - loaded_mb


def _repair_sides(folder: Path) -> dict[str, Samples]:
    return {"agent": samples_of(AGENT, folder / "agent"), "caller": samples_of(CALLER, folder / "caller")}


def _mixed(name: str, sides: dict[str, Samples], folder: Path) -> Case:
    mono = sum(sides.values()) / len(sides)
    return Case(name, store(mono, folder / f"{name}.pcm"), times_by_energy(sides))


def _levelled(samples: Samples) -> Samples:
    """At one level, by the louder half of all 10 ms, with a little noise."""
    frames = samples[: len(samples) - len(samples) % 160].reshape(-1, 160)
    powers = np.sort(np.mean(np.square(frames), axis=1))
    noise = np.random.default_rng(0).normal(0.0, NOISE, len(samples))
    return samples * (LEVEL / np.sqrt(powers[len(powers) // 2 :].mean())) + noise


def _through_line(samples: Samples) -> Samples:
    """Within a telephone's band, so that no microphone gives the reader away."""
    hertz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    return np.fft.irfft(np.fft.rfft(samples) * ((hertz > 250) & (hertz < 3500)), len(samples))


def _target(name: str) -> float | None:
    return 0.05 if name.endswith("no overlap") else None


def _draw(axes: Axes, scores: list[Score]) -> None:
    names = [each.name for each in reversed(scores)]
    left = np.zeros(len(scores))
    for part, colour in (("missed", "#3b6ea8"), ("false_alarm", "#9fb8d3"), ("confusion", "#b03a2e")):
        values = np.array([getattr(each, part) for each in reversed(scores)])
        axes.barh(names, values, left=left, color=colour, label=part.replace("_", " "))
        left += values
    axes.set_xlabel("diarization error rate, no collar")
    axes.tick_params(axis="y", labelsize=7)
    axes.legend(frameon=False)


if __name__ == "__main__":
    measure()
