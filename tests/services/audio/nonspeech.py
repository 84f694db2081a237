"""A minute each of what a call holds beside speech, made by script: silence, noise, signals, hold music.

Deterministic, float64 of shape (``COUNT``,) at ``SAMPLE_RATE``, with a peak of 1 (silence aside).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from app.schemas.audio import SAMPLE_RATE

Samples = np.ndarray[Any, Any]

MINUTE_S = 60
COUNT = MINUTE_S * SAMPLE_RATE
LEVELS_DB = (-6, -40)
TIME = np.arange(COUNT) / SAMPLE_RATE
BEAT_S = 0.5


@dataclass(frozen=True)
class Sound:
    """``kind``: silence, noise, signal or music."""

    name: str
    kind: str
    make: Callable[[], Samples]

    def at_levels(self) -> Iterator[tuple[float, Samples]]:
        """Level of the peak in dB of full scale, and the samples."""
        made = self.make()
        for level_db in LEVELS_DB if self.kind != "silence" else (0,):
            yield level_db, made * 10 ** (level_db / 20)


def sounds() -> tuple[Sound, ...]:
    return (
        Sound("digital silence", "silence", lambda: np.zeros(COUNT)),
        Sound("dither", "silence", lambda: _random(1).choice((-1, 0, 1), COUNT) / 32768),
        *_noises(),
        *_signals(),
        *_music(),
    )


def _noises() -> Iterator[Sound]:
    for name, slope in (("white", 0.0), ("pink", 0.5), ("brown", 1.0)):
        yield Sound(f"{name} noise", "noise", lambda slope=slope: _peak(coloured(2, slope)))
    for mains in (50, 60):
        yield Sound(f"hum {mains} Hz", "noise", lambda mains=mains: _peak(_partials(mains, 20, 1.0)))
    yield Sound("line noise", "noise", lambda: _telephone(coloured(3, 0.2)))
    yield Sound("clicks", "noise", _clicks)
    yield Sound("office", "noise", _office)
    yield Sound(
        "breath", "noise", lambda: _peak(coloured(22, 0.4) * np.maximum(np.sin(2 * np.pi * TIME / 4), 0) ** 2)
    )
    yield Sound("rustle", "noise", lambda: _telephone(coloured(23, 0.0) * np.maximum(_slow(24, 4.0), 0)))
    yield Sound("wind", "noise", lambda: _peak(coloured(4, 1.0) * (1 + _slow(5, 0.7))))
    yield Sound("comfort noise that comes and goes", "noise", lambda: _peak(_on(coloured(6, 0.3), 1.7, 0.9)))


def _signals() -> Iterator[Sound]:
    made: dict[str, Callable[[], Samples]] = {
        "dial tone": lambda: _tone(350, 440),
        "ring US": lambda: _on(_tone(440, 480), 6, 2),
        "ring EU": lambda: _on(_tone(425), 5, 1),
        "ring UK": lambda: _tone(400, 450) * ((TIME % 3 < 0.4) | ((TIME % 3 >= 0.6) & (TIME % 3 < 1.0))),
        "busy US": lambda: _on(_tone(480, 620), 1, 0.5),
        "busy EU": lambda: _on(_tone(425), 1, 0.5),
        "keys": _keys,
        "fax": lambda: _on(_tone(1100), 3.5, 0.5) + 0.5 * _on(_tone(2100), 7, 3.3),
        "number unobtainable": lambda: _steps((950, 1400, 1800), 0.33) * (TIME % 2 < 1),
        "alarm": lambda: np.sin(2 * np.pi * (900 * TIME + 60 * np.sin(2 * np.pi * 0.8 * TIME))),
        "modem": lambda: _telephone(np.sin(2 * np.pi * 1700 * TIME + _symbols(7, 300))),
    }
    for name, make in made.items():
        yield Sound(name, "signal", lambda make=make: _peak(make()))


def _music() -> Iterator[Sound]:
    made = {
        "chords": _chords,
        "melody": lambda: _melody(8, vibrato=0.008),
        "melody over chords": lambda: _melody(9, vibrato=0.006) + 0.6 * _chords(),
        "strings": _strings,
        "drums": _drums,
        "band": lambda: _drums() + 0.8 * _chords() + 0.7 * _melody(10, vibrato=0.005) + _bass(),
        "chiptune": _chiptune,
        "bells": _bells,
        "guitar with wah": lambda: _swept(_melody(18, vibrato=0.0), 1.5),
        "humming choir": lambda: _formants(_strings(), (600, 1040, 2250)),
        "saxophone": lambda: _formants(_glides(19), (500, 1200, 2600)) + 0.02 * coloured(20, 0.3),
        "theremin": lambda: _glides(21),
        "organ": lambda: _steps(
            (262, 330, 392, 523, 392, 330), BEAT_S, partials=(1, 0.8, 0, 0.5, 0, 0, 0, 0.3)
        ),
    }
    for name, make in made.items():
        yield Sound(name, "music", lambda make=make: _peak(make()))
    for name in (
        "chords",
        "melody",
        "melody over chords",
        "band",
        "chiptune",
        "strings",
        "bells",
        "saxophone",
    ):
        yield Sound(f"{name}, telephone", "music", lambda make=made[name]: _telephone(make()))
    for name in ("band", "melody"):
        yield Sound(f"{name}, low bit rate", "music", lambda make=made[name]: _squeezed(_telephone(make())))


@cache
def made(name: str) -> Samples:
    """The sound of that name; not to be written to."""
    (sound,) = (sound for sound in sounds() if sound.name == name)
    return sound.make()


def coloured(seed: int, slope: float) -> Samples:
    """Noise with amplitudes that fall as frequency to the power of -``slope``."""
    white = np.fft.rfft(_random(seed).standard_normal(COUNT))
    return _peak(np.fft.irfft(white / np.maximum(np.arange(len(white)), 20) ** slope, COUNT))


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _peak(samples: Samples) -> Samples:
    return np.asarray(samples / np.abs(samples).max())


def _tone(*frequencies: float) -> Samples:
    return sum((np.sin(2 * np.pi * hertz * TIME) for hertz in frequencies), np.zeros(COUNT))


def _partials(hertz: float, count: int, fall: float) -> Samples:
    return sum((_tone(hertz * n) / n**fall for n in range(1, count + 1)), np.zeros(COUNT))


def _on(samples: Samples, every_s: float, on_s: float) -> Samples:
    return np.asarray(samples * (TIME % every_s < on_s))


def _slow(seed: int, hertz: float) -> Samples:
    """Noise below ``hertz``, with a peak of 1."""
    spectrum = np.fft.rfft(_random(seed).standard_normal(COUNT))
    spectrum[np.fft.rfftfreq(COUNT, 1 / SAMPLE_RATE) > hertz] = 0
    return _peak(np.fft.irfft(spectrum, COUNT))


def _telephone(samples: Samples) -> Samples:
    """300 to 3,400 Hz."""
    hertz = np.fft.rfftfreq(COUNT, 1 / SAMPLE_RATE)
    return _peak(np.fft.irfft(np.fft.rfft(samples) * ((hertz > 300) & (hertz < 3400)), COUNT))


def _squeezed(samples: Samples, step: int = 512, kept: int = 24) -> Samples:
    """Like a poor encoder: of each short spectrum only the strongest lines, coarsely rounded."""
    window = np.hanning(2 * step + 1)[:-1]
    out = np.zeros(COUNT)
    for first in range(0, COUNT - 2 * step + 1, step):
        spectrum = np.fft.rfft(samples[first : first + 2 * step] * window)
        size = np.abs(spectrum)
        spectrum[size < np.sort(size)[-kept]] = 0
        unit = max(float(size.max()) / 16, 1e-9)
        out[first : first + 2 * step] += np.fft.irfft(np.round(spectrum / unit) * unit)
    return _peak(out)


def _symbols(seed: int, rate: int) -> Samples:
    phases = _random(seed).integers(0, 8, MINUTE_S * rate) * np.pi / 4
    return np.asarray(phases[(TIME * rate).astype(int)])


def _clicks() -> Samples:
    random = _random(11)
    samples = np.zeros(COUNT)
    for at in random.integers(0, COUNT - 800, 150):
        length = int(random.integers(8, 800))
        samples[at : at + length] += random.standard_normal(length) * np.exp(-np.arange(length) * 6 / length)
    return _peak(samples)


def _office() -> Samples:
    """A fan, typing, a chair now and then, a telephone far away; nobody talks."""
    random = _random(12)
    samples = 0.1 * coloured(13, 0.7) + 0.01 * _partials(120, 8, 0.5)
    for at in np.cumsum(random.exponential(0.18, 300)):
        samples += _burst(random, at, 0.02, 0.0, 0.5)
    for at in np.cumsum(random.exponential(6.0, 12)):
        samples += _burst(random, at, 0.3, 0.8, 0.7)
    return _peak(samples + 0.03 * _on(_tone(1200, 1500), 4, 1) * (np.sin(2 * np.pi * 10 * TIME) > 0))


def _burst(random: np.random.Generator, at_s: float, length_s: float, slope: float, size: float) -> Samples:
    samples = np.zeros(COUNT)
    first, length = int(at_s * SAMPLE_RATE), int(length_s * SAMPLE_RATE)
    if first + length < COUNT:
        spectrum = (
            np.fft.rfft(random.standard_normal(length)) / np.maximum(np.arange(length // 2 + 1), 1) ** slope
        )
        made = _peak(np.fft.irfft(spectrum, length)) * np.exp(-np.arange(length) * 4 / length)
        samples[first : first + length] = size * random.random() * made
    return samples


def _keys() -> Samples:
    rows, columns = (697, 770, 852, 941), (1209, 1336, 1477)
    random = _random(14)
    samples = np.zeros(COUNT)
    for number in range(round(MINUTE_S / 0.4)):
        here = slice(round(number * 0.4 * SAMPLE_RATE), round((number * 0.4 + 0.15) * SAMPLE_RATE))
        for hertz in (random.choice(rows), random.choice(columns)):
            samples[here] += np.sin(2 * np.pi * hertz * TIME[here])
    return samples


def _note(
    hertz: float, length_s: float, partials: Sequence[float], decay: float, vibrato: float = 0.0
) -> Samples:
    time = np.arange(round(length_s * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * hertz * (time + vibrato / (2 * np.pi * 5.5) * np.sin(2 * np.pi * 5.5 * time))
    made = sum((size * np.sin(n * phase) for n, size in enumerate(partials, 1)), np.zeros(len(time)))
    rise = np.minimum(1, time / 0.015) * np.minimum(1, (length_s - time) / 0.03)
    return np.asarray(made * rise * np.exp(-decay * time))


def _place(notes: Sequence[tuple[float, Samples]]) -> Samples:
    samples = np.zeros(COUNT)
    for at_s, note in notes:
        first = round(at_s * SAMPLE_RATE)
        samples[first : first + len(note)] += note[: max(0, COUNT - first)]
    return samples


def _hertz(key: float) -> float:
    return float(440 * 2 ** ((key - 69) / 12))


PROGRESSION = ((60, 64, 67, 72), (57, 60, 64, 69), (53, 57, 60, 65), (55, 59, 62, 67))
SCALE = (60, 62, 64, 65, 67, 69, 71, 72, 74, 76)
PIANO = (1.0, 0.6, 0.35, 0.25, 0.12, 0.08, 0.05)
REED = (0.7, 1.0, 0.8, 0.7, 0.4, 0.35, 0.25, 0.2, 0.1, 0.1)


def _chords() -> Samples:
    """Broken chords on something like a piano."""
    beats = round(MINUTE_S / BEAT_S * 2)
    return _place([
        (beat * BEAT_S / 2, _note(_hertz(PROGRESSION[beat // 8 % 4][beat % 4]), 1.2, PIANO, 3.0))
        for beat in range(beats)
    ])  # fmt: skip


def _melody(seed: int, vibrato: float) -> Samples:
    """A reed that wanders over the scale, with notes of several lengths and rests."""
    random = _random(seed)
    notes, at, place = [], 0.0, 4
    while at < MINUTE_S - 2:
        length = BEAT_S * float(random.choice((0.5, 1, 1, 1.5, 2)))
        place = int(np.clip(place + random.integers(-2, 3), 0, len(SCALE) - 1))
        if random.random() > 0.15:
            notes.append((at, _note(_hertz(SCALE[place] - 5), length * 0.95, REED, 0.5, vibrato)))
        at += length
    return _place(notes)


def _strings() -> Samples:
    """Long chords of many players, none quite in tune."""
    random = _random(15)
    bowed = tuple(1 / n for n in range(1, 13))
    return _place([
        (bar * 4 * BEAT_S, _note(_hertz(key + random.normal(0, 0.06)), 4 * BEAT_S, bowed, 0.0, 0.006))
        for bar in range(round(MINUTE_S / BEAT_S / 4))
        for key in PROGRESSION[bar % 4]
        for _ in range(4)
    ])  # fmt: skip


def _glides(seed: int) -> Samples:
    """A reed that slides from note to note and is never at rest."""
    random = _random(seed)
    steps = np.repeat(random.choice(SCALE, COUNT // 4000 + 1) - 9.0, 4000)[:COUNT]
    keys = np.convolve(steps, np.ones(1600) / 1600, "same") + 0.15 * np.sin(2 * np.pi * 5.5 * TIME)
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((keys - 69) / 12)) / SAMPLE_RATE
    made = sum((size * np.sin(n * phase) for n, size in enumerate(REED, 1)), np.zeros(COUNT))
    return np.asarray(made * (0.6 + 0.4 * _slow(seed + 1, 2.0)))


def _formants(samples: Samples, resonances: Sequence[float]) -> Samples:
    """Through a mouth that is held open in one shape."""
    hertz = np.fft.rfftfreq(COUNT, 1 / SAMPLE_RATE)
    shape = sum((1 / (1 + ((hertz - centre) / 90) ** 2) for centre in resonances), np.full(len(hertz), 0.02))
    return _peak(np.fft.irfft(np.fft.rfft(samples) * shape, COUNT))


def _swept(samples: Samples, every_s: float) -> Samples:
    """Through a pedal that opens and closes."""
    low, high = (_formants(samples, (centre,)) for centre in (500.0, 1800.0))
    opened = 0.5 + 0.5 * np.sin(2 * np.pi * TIME / every_s)
    return low * (1 - opened) + high * opened


def _drums() -> Samples:
    random = _random(16)
    time = np.arange(SAMPLE_RATE // 4) / SAMPLE_RATE
    kick = np.sin(2 * np.pi * (45 * time + 4 * (1 - np.exp(-30 * time)))) * np.exp(-14 * time)
    notes = []
    for beat in range(round(MINUTE_S / BEAT_S)):
        at = beat * BEAT_S
        notes.append(
            (at, kick if beat % 2 == 0 else random.standard_normal(len(time)) * np.exp(-18 * time) * 0.6)
        )
        for half in (0.0, BEAT_S / 2):
            hat = np.diff(random.standard_normal(len(time) + 1)) * np.exp(-60 * time) * 0.25
            notes.append((at + half, hat))
    return _place(notes)


def _bass() -> Samples:
    return _place([
        (beat * BEAT_S, _note(_hertz(PROGRESSION[beat // 4 % 4][0] - 24), BEAT_S, (1, 0.5, 0.3, 0.1), 2.0))
        for beat in range(round(MINUTE_S / BEAT_S))
    ])  # fmt: skip


def _chiptune() -> Samples:
    square = tuple(1 / n if n % 2 else 0.0 for n in range(1, 16))
    lead = _place([
        (step * 0.125, _note(_hertz(PROGRESSION[step // 16 % 4][(step * 3) % 4] + 12), 0.11, square, 1.0))
        for step in range(MINUTE_S * 8)
    ])  # fmt: skip
    return lead + _bass() + 0.3 * _drums()


def _bells() -> Samples:
    random = _random(17)
    return _place([
        (at, sum(_note(_hertz(SCALE[int(random.integers(8))] + 12) * ratio, 2.0, (1.0,), 2 + ratio)
                 for ratio in (0.5, 1.0, 2.76, 5.4)))
        for at in np.arange(0, MINUTE_S - 2, 0.7)
    ])  # fmt: skip


def _steps(frequencies: Sequence[float], step_s: float, partials: Sequence[float] = (1.0,)) -> Samples:
    """One note after the other, over and over."""
    return _place([
        (number * step_s, _note(frequencies[number % len(frequencies)], step_s, partials, 0.0))
        for number in range(round(MINUTE_S / step_s))
    ])  # fmt: skip
