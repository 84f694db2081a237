"""Clips late in a long recording: found without decoding what comes before, yet where they were."""

from __future__ import annotations

import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemas.audio import Audio, Span
from app.services.audio.clips import APART_S, MOST_RUNS, ClipCutter, runs_of
from app.services.audio.encoder import RATE
from app.services.audio.ffmpeg import Ffmpeg
from app.services.audio.guarded_process import Finished, RunLimits
from tests.services.audio.recordings import convert, ffmpeg, make_decoder, make_limits, write_channels

LENGTH_S = 1_200.0
SOURCE_RATE = 22_050
HEARD_RATE = 16_000
MOST_OFF_S = 0.01
"""WebM gives times in milliseconds, and two cycles of the tone are alike."""
LIMITS = {"longest_s": 1_500.0, "output_bytes": 100 << 20}
VBR, CBR = ("-c:a", "libmp3lame", "-q:a", "9"), ("-c:a", "libmp3lame", "-b:a", "32k")
NO_TAGS = ("-id3v2_version", "0")
SIX_MINUTES = ("-t", "360")
OPUS = ("-c:a", "libopus", "-b:a", "24k")

Samples = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Watched(Ffmpeg):
    """Keeps where each run began to decode."""

    began_s: list[int] = field(default_factory=list)

    def run(self, arguments: Sequence[str], folder: Path, limits: RunLimits) -> Finished:
        if "-filter_complex" in arguments:
            place = arguments.index("-ss") + 1 if "-ss" in arguments else None
            self.began_s.append(0 if place is None else int(arguments[place]))
        return super().run(arguments, folder, limits)


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty minutes of a gliding tone, on either side louder or softer every quarter of a second."""
    random = np.random.default_rng(7)
    time = np.arange(round(LENGTH_S * SOURCE_RATE)) / SOURCE_RATE
    level = np.repeat(random.uniform(0, 1, (round(4 * LENGTH_S) + 1, 2)) ** 3, SOURCE_RATE // 4 + 1, axis=0)
    tone = np.sin(2 * np.pi * (300 * time + 100 * np.sin(0.7 * time)))
    samples = 0.3 * tone[:, None] * level[: time.size] + 0.01 * random.standard_normal((time.size, 2))
    return write_channels(tmp_path_factory.mktemp("long") / "long.wav", samples, SOURCE_RATE)


def tagged(mp3: bytes) -> bytes:
    """With 50 kB of tags in front, as those with a picture in them have, and one at the end."""
    size = 50_000
    head = bytes((size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127))
    return b"ID3\x04\x00\x00" + head + bytes(size) + mp3 + b"TAG" + bytes(125)


def as_it_is(mp3: bytes) -> bytes:
    return mp3


def with_vbri(mp3: bytes) -> bytes:
    """With the table of another encoder in its first frame."""
    sync, length = mp3[:2], mp3.index(mp3[:2], 40)
    table = b"VBRI\0\1\0\0\0\0" + len(mp3).to_bytes(4) + mp3.count(sync).to_bytes(4) + bytes(8)
    return mp3[:4] + (bytes(32) + table).ljust(length - 4, b"\0") + mp3[length:]


@pytest.mark.parametrize(
    ("name", "options", "change"),
    [
        ("long.mp3", VBR, as_it_is), ("a.wav", SIX_MINUTES, as_it_is), ("a.flac", SIX_MINUTES, as_it_is),
        ("a.m4a", SIX_MINUTES, as_it_is), ("a.ogg", (*SIX_MINUTES, "-c:a", "libvorbis"), as_it_is),
        ("opus.ogg", (*SIX_MINUTES, *OPUS), as_it_is), ("a.webm", (*SIX_MINUTES, *OPUS), as_it_is),
        ("cbr.mp3", (*SIX_MINUTES, *CBR, "-ac", "1"), as_it_is),
        ("headless.mp3", (*SIX_MINUTES, *VBR, *NO_TAGS, "-write_xing", "0"), as_it_is),
        ("headless_cbr.mp3", (*SIX_MINUTES, *CBR, *NO_TAGS, "-write_xing", "0", "-ar", "8000"), as_it_is),
        ("vbri.mp3", (*SIX_MINUTES, *VBR, *NO_TAGS, "-ar", "44100"), with_vbri),
        ("tagged.mp3", (*SIX_MINUTES, *VBR, "-ar", "44100", "-ac", "1"), tagged),
        ("tagged_cbr.mp3", (*SIX_MINUTES, *CBR, "-ar", "32000"), tagged),
    ],
)  # fmt: skip
def test_a_clip_is_what_the_decoder_heard_there(
    name: str, options: tuple[str, ...], change: Callable[[bytes], bytes], wav: Path, tmp_path: Path
) -> None:
    recording = convert(wav, tmp_path / name, *options)
    recording.write_bytes(change(recording.read_bytes()))
    late_s = 350.3 if "-t" in options else 1_190.3

    assert cut_and_compare(recording, tmp_path, late_s) == [0, late_s // 2 + 1, late_s // 1 - 2]


def said_to_be_of_one_size(mp3: bytes) -> bytes:
    return mp3.replace(b"Xing", b"Info", 1)


def torn(mp3: bytes) -> bytes:
    """Some seconds of it are lost, and others are noise."""
    third = len(mp3) // 3
    return mp3[:third] + mp3[third + 20_000 : 2 * third] + b"\x55" * 30_000 + mp3[2 * third :]


def twice(mp3: bytes) -> bytes:
    """Two halves of the recording, each a file of its own."""
    return mp3[: len(mp3) // 2] + mp3


@pytest.mark.parametrize("change", [said_to_be_of_one_size, torn, twice])
def test_where_times_do_not_hold_all_is_decoded(
    change: Callable[[bytes], bytes], wav: Path, tmp_path: Path
) -> None:
    recording = convert(wav, tmp_path / "vbr.mp3", *VBR, *NO_TAGS, *SIX_MINUTES)
    recording.write_bytes(change(recording.read_bytes()))

    assert cut_and_compare(recording, tmp_path, 300.0) == [0]


def cut_and_compare(recording: Path, folder: Path, late_s: float) -> list[int]:
    """Clips at the start, in the middle and late lie where the decoder heard them; returns where each
    decoding began, in seconds."""
    (decoded := folder / "decoded").mkdir()
    heard = make_decoder(**LIMITS).decode(recording, decoded)
    watched = Watched(ffmpeg().program)
    spans = [Span(start_s, start_s + 3) for start_s in (late_s, 2.05, late_s // 2 + 3.6)]

    clips = ClipCutter(watched, make_limits(**LIMITS)).cut(recording, spans, folder, heard.duration_s)

    for clip, span in zip(clips, spans, strict=True):
        assert abs(lag_s(clip, heard, span)) <= MOST_OFF_S
    return watched.began_s


def lag_s(clip: Path, heard: Audio, span: Span) -> float:
    """By how much the clip is later than it should be, where it is most like what was heard around it."""
    with wave.open(str(clip)) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2").astype(float)
    around = heard.read(Span(span.start_s - 2, span.end_s + 2))
    mixed = around.reshape(len(around), -1).mean(axis=1)
    times = np.arange(round((span.end_s - span.start_s) * HEARD_RATE)) / HEARD_RATE
    cut = np.interp(times, np.arange(samples.size) / RATE, samples)
    size = mixed.size + cut.size
    alike = np.fft.irfft(np.fft.rfft(mixed, size) * np.conj(np.fft.rfft(cut, size)), size)[: mixed.size]
    return 2 - int(np.argmax(alike)) / HEARD_RATE


PLACES = st.lists(
    st.tuples(st.integers(0, 7_200 * RATE), st.integers(1, 60 * RATE)).map(lambda at: (at[0], sum(at))),
    min_size=1, max_size=40,
)  # fmt: skip


@given(PLACES)
def test_every_clip_is_in_one_run_that_begins_before_it(places: list[tuple[int, int]]) -> None:
    runs = runs_of(places)

    assert sorted(number for run in runs for number in run.numbers) == list(range(len(places)))
    for run in runs:
        assert [places[number] for number in run.numbers] == list(run.places)
        first, last = min(start for start, _ in run.places), max(end for _, end in run.places)
        assert run.from_s == 0 or (run.from_s + 1) * RATE < first
        assert last - first <= sum(end - start + APART_S * RATE for start, end in run.places)
    for one, following in pairwise(runs):
        assert following.places[0][0] - max(end for _, end in one.places) > APART_S * RATE


def test_with_many_stretches_or_an_unknown_length_all_is_decoded(wav: Path, tmp_path: Path) -> None:
    spans = [Span(start_s, start_s + 0.5) for start_s in np.arange(0, LENGTH_S, 600)]
    many = [Span(start_s, start_s + 0.5) for start_s in np.arange(0, MOST_RUNS + 1) * (APART_S + 2.0)]
    watched = Watched(ffmpeg().program)
    cutter = ClipCutter(watched, make_limits(**LIMITS))

    cutter.cut(wav, spans, tmp_path)
    cutter.cut(wav, many, tmp_path, LENGTH_S)

    assert watched.began_s == [0, 0]
