"""Clips begin and end where they should, in every format; also in VBR MP3, whose own places are wrong."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.exceptions import StageFailed
from app.schemas.audio import Span
from app.services.audio.clips import FADE_S, MOST_SPANS, ClipCutter
from app.services.audio.encoder import RATE
from tests.services.audio.recordings import convert, ffmpeg, make_decoder, make_limits, write_channels

BURSTS = tuple((start_s, start_s + 0.5) for start_s in (1.0, 4.0, 7.5, 31.0, 58.25))
LENGTH_S = 60.0
SOURCE_RATE = 44_100
VBR = ("-c:a", "libmp3lame", "-q:a", "9")

Samples = np.ndarray[Any, Any]


def bursts() -> Samples:
    """A minute of faint noise, with loud noise of another kind in each burst; the voice changes sides."""
    random = np.random.default_rng(1)
    samples = np.zeros((round(LENGTH_S * SOURCE_RATE), 2))
    samples += 0.0003 * random.standard_normal(samples.shape)
    for number, (start_s, end_s) in enumerate(BURSTS):
        first, last = round(start_s * SOURCE_RATE), round(end_s * SOURCE_RATE)
        time = np.arange(last - first) / SOURCE_RATE
        samples[first:last, number % 2] += 0.3 * np.sin(2 * np.pi * (300 + 100 * number) * time)
    return samples


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_channels(tmp_path_factory.mktemp("bursts") / "bursts.wav", bursts(), SOURCE_RATE)


def make_cutter(**limits: Any) -> ClipCutter:
    return ClipCutter(ffmpeg(), make_limits(**limits))


def samples_of(path: Path) -> Samples:
    with wave.open(str(path)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2") / 32768


def loud(samples: Samples) -> tuple[float, float]:
    """Where the sound begins and ends, in seconds, to 5 ms."""
    step = RATE // 200
    levels = np.abs(samples[: samples.size // step * step]).reshape(-1, step).max(axis=1)
    places = np.flatnonzero(levels > 0.05)
    return places[0] / 200, (places[-1] + 1) / 200


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", ()), ("vbr.mp3", VBR), ("headless.mp3", (*VBR, "-write_xing", "0")), ("a.ogg", ()),
        ("a.flac", ()), ("a.m4a", ()),
    ],
)  # fmt: skip
def test_edges_are_where_the_words_are(
    name: str, options: tuple[str, ...], wav: Path, tmp_path: Path
) -> None:
    recording = convert(wav, tmp_path / name, *options)
    spans = [Span(start_s - 0.25, end_s + 0.25) for start_s, end_s in BURSTS]

    clips = make_cutter().cut(recording, spans, tmp_path)

    for clip in clips:
        found = samples_of(clip)
        assert found.size == RATE  # 1 s, to the sample
        assert loud(found) == pytest.approx((0.25, 0.75), abs=0.06)


def test_a_clip_is_what_the_decoder_heard_there(wav: Path, tmp_path: Path) -> None:
    """The lag at which clip and decoded recording are most alike is none."""
    recording = convert(wav, tmp_path / "vbr.mp3", *VBR)
    (folder := tmp_path / "decoded").mkdir()
    heard = make_decoder().decode(recording, folder).read(Span(30.0, 32.0))

    (clip,) = make_cutter().cut(recording, [Span(30.0, 32.0)], tmp_path)

    cut = np.interp(np.arange(heard.size) / 16_000, np.arange(2 * RATE) / RATE, samples_of(clip))
    envelopes = [np.convolve(np.abs(sound), np.ones(160) / 160, "same") for sound in (heard, cut)]
    lags = np.correlate(*(envelope - envelope.mean() for envelope in envelopes), "full")
    assert abs(int(np.argmax(lags)) - (heard.size - 1)) / 16_000 <= 0.005


def test_edges_are_faded(wav: Path, tmp_path: Path) -> None:
    (clip,) = make_cutter().cut(wav, [Span(1.1, 1.4)], tmp_path)

    samples = np.abs(samples_of(clip))
    count = round(FADE_S * RATE)
    assert samples[:3].max() < 0.001
    assert samples[-3:].max() < 0.001
    for edge in (samples[: count // 4], samples[-count // 4 :]):
        assert edge.max() < 0.3 * samples.max()
    assert samples[count : 2 * count].max() == pytest.approx(samples.max(), rel=0.1)


def test_clips_may_overlap_come_in_any_order_and_end_beyond_the_recording(wav: Path, tmp_path: Path) -> None:
    spans = [Span(58.0, 61.0), Span(0.75, 1.75), Span(0.5, 5.0)]

    first, second, third = map(samples_of, make_cutter().cut(wav, spans, tmp_path))

    assert (first.size, second.size, third.size) == (3 * RATE, RATE, round(4.5 * RATE))
    assert loud(first) == pytest.approx((0.25, 0.75), abs=0.02)
    assert np.abs(first[2 * RATE + 100 :]).max() == 0
    assert loud(second) == pytest.approx((0.25, 0.75), abs=0.02)
    assert loud(third) == pytest.approx((0.5, 4.0), abs=0.02)


def test_as_many_clips_as_may_be(wav: Path, tmp_path: Path) -> None:
    spans = [Span(start, start + 0.5) for start in np.linspace(0, 59, MOST_SPANS)]

    assert len({path.name for path in make_cutter().cut(wav, spans, tmp_path)}) == MOST_SPANS

    with pytest.raises(ValueError, match="1 to 200"):
        make_cutter().cut(wav, [*spans, Span(0, 1)], tmp_path)
    with pytest.raises(ValueError, match="length"):
        make_cutter().cut(wav, [Span(1, 1)], tmp_path)


@pytest.mark.parametrize("content", [b"", b"this is no sound", b"#EXTM3U\n#EXTINF:1,\nbursts.wav\n"])
def test_what_is_no_recording(content: bytes, tmp_path: Path) -> None:
    source = tmp_path / "recording"
    source.write_bytes(content)

    with pytest.raises(StageFailed, match="could not be cut"):
        make_cutter().cut(source, [Span(0, 1)], tmp_path)

    assert list(tmp_path.iterdir()) == [source]


def test_a_limit_is_named(wav: Path, tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="wall time"):
        make_cutter(wall_s=0.01).cut(wav, [Span(50, 51)], tmp_path)
