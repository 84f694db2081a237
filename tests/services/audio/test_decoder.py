"""Every real recording and every common format decodes to its true length; lengths and rates are bounded."""

from __future__ import annotations

import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from app.core.exceptions import (
    AudioTooLong,
    InsufficientStorage,
    StageFailed,
    UndecodableAudio,
    UnsupportedRate,
)
from app.schemas.audio import SAMPLE_RATE, Audio
from app.services.audio.decoder import DecodeLimits
from tests.services.audio.formats import FORMATS, SECONDS, Format
from tests.services.audio.recordings import (
    HEADERLESS,
    SHARED,
    Recording,
    convert,
    encoders,
    make_decoder,
    needs_recordings,
    real_recordings,
    sweep,
    write_channels,
    write_wav,
)

DAMAGED_AS_SHIPPED = "librivox_sonnet1_9s.flac"
"""One of its frames is broken, as its manifest says: a recording with a damaged part."""
TELL_NO_END = {".ogg", ".opus"}
"""Containers whose end cannot be told from a cut; nor can that of an MP3 that states no length."""


def private_folder(tmp_path: Path, name: str = "scratch") -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


def decode(source: Path, tmp_path: Path, **limits: float) -> Audio:
    return make_decoder(**limits).decode(source, private_folder(tmp_path))


@needs_recordings
@pytest.mark.parametrize("recording", real_recordings(), ids=lambda recording: recording.file)
def test_real_recordings(recording: Recording, decoded: dict[str, Audio]) -> None:
    audio = decoded[recording.file]

    assert audio.duration_s == pytest.approx(recording.seconds, abs=0.1)
    assert audio.damaged == (recording.file == DAMAGED_AS_SHIPPED)
    assert audio.channel_count == recording.channels
    assert audio.pcm_path.stat().st_size == 2 * audio.channel_count * audio.sample_count


@needs_recordings
def test_a_recording_without_a_header(tmp_path: Path) -> None:
    with pytest.raises(UndecodableAudio):
        decode(SHARED / HEADERLESS, tmp_path)


@needs_recordings
@pytest.mark.parametrize(
    "file",
    ["jfk_16k.wav", "azure_voicemail_mulaw_8k.wav", "jfk.mp3", "jfk_44k.m4a", "jfk_44k_stereo.flac",
     "librivox_sonnet1_9s.aac", "librivox_sonnet1_9s.webm", "uberi_french.aiff", "librivox_sonnet1_9s.ogg",
     "mls_es_13697.opus"],
)  # fmt: skip
def test_a_recording_cut_off_in_the_middle(file: str, tmp_path: Path, decoded: dict[str, Audio]) -> None:
    content = (SHARED / file).read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(content[: len(content) * 6 // 10])

    audio = decode(cut, tmp_path)

    assert 0.5 < audio.duration_s < 0.8 * decoded[file].duration_s
    assert audio.damaged == (Path(file).suffix not in TELL_NO_END)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_formats(form: Format, tmp_path: Path) -> None:
    if form.encoder is not None and form.encoder not in encoders():
        pytest.skip(f"this ffmpeg cannot make it: no encoder {form.encoder}")

    audio = decode(form.make(tmp_path), tmp_path)

    assert audio.duration_s == pytest.approx(SECONDS, abs=0.1)
    assert not audio.damaged
    if form.lossless:
        difference = audio.read()[800:-800] - sweep(SECONDS, SAMPLE_RATE)[800 : audio.sample_count - 800]
        assert float(np.abs(difference).max()) < 0.02


def test_samples_are_kept_bit_for_bit(tmp_path: Path) -> None:
    wanted = np.random.default_rng(7).integers(-32768, 32767, 5000, endpoint=True)
    source = write_wav(tmp_path / "a.wav", wanted / 32767, SAMPLE_RATE)
    kept = np.frombuffer(source.read_bytes()[44:], "<i2")
    flac = convert(source, tmp_path / "a.flac", "-c:a", "flac")

    for name, path in (("one", source), ("two", flac)):
        audio = make_decoder().decode(path, private_folder(tmp_path, name))
        assert np.array_equal(np.fromfile(audio.pcm_path, "<i2"), kept)


def test_two_channels_are_kept_apart_bit_for_bit(tmp_path: Path) -> None:
    wanted = np.random.default_rng(8).integers(-32768, 32767, (5000, 2), endpoint=True)
    source = write_channels(tmp_path / "a.wav", wanted / 32767, SAMPLE_RATE)
    left, right = wanted.T / np.float32(32768)

    audio = decode(source, tmp_path)

    assert (audio.channel_count, audio.channel, audio.sample_count) == (2, None, 5000)
    assert np.array_equal(audio.of_channel(0).read(), left)
    assert np.array_equal(audio.of_channel(1).read(), right)
    assert np.allclose(audio.read(), (left + right) / 2, atol=1e-6)


@pytest.mark.parametrize("codec", ["pcm_mulaw", "pcm_alaw", "pcm_u8", "pcm_f32le", "flac", "aac"])
def test_which_channel_is_which_whatever_the_codec(codec: str, tmp_path: Path) -> None:
    tone = sweep(1, 8000)
    source = write_channels(tmp_path / "a.wav", np.stack((tone, np.zeros_like(tone)), axis=1), 8000)

    audio = decode(convert(source, tmp_path / "a.mka", "-c:a", codec), tmp_path)

    left, right = (float(np.abs(audio.of_channel(channel).read()).max()) for channel in (0, 1))
    assert left > 0.4
    assert right < 0.02


@pytest.mark.parametrize("channels", [3, 4, 6, 8])
def test_more_than_two_channels_are_mixed_to_one(channels: int, tmp_path: Path) -> None:
    samples = np.repeat(sweep(1, 16000)[:, None], channels, axis=1)

    audio = decode(write_channels(tmp_path / "a.wav", samples, 16000), tmp_path)

    assert (audio.channel_count, audio.duration_s) == (1, 1)
    assert float(np.abs(audio.read()).max()) > 0.1


def test_name_and_ending_decide_nothing(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", sweep(1, 8000), 8000)
    folder = private_folder(tmp_path, "-i x; $(id) %d|'\u202e")

    for number, name in enumerate(("call.mp3", "-f.m3u8", "a%03d.png", "x:y|z", "concat:a", "none")):
        path = folder / name
        shutil.copy(source, path)
        audio = make_decoder().decode(path, private_folder(tmp_path, f"scratch{number}"))
        assert audio.duration_s == pytest.approx(1, abs=0.01)


def test_only_the_samples_stay_in_the_folder(tmp_path: Path) -> None:
    audio = decode(write_wav(tmp_path / "a.wav", sweep(1, 8000), 8000), tmp_path)

    assert list((tmp_path / "scratch").iterdir()) == [audio.pcm_path]


def test_pictures_beside_the_sound_are_left_alone(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", sweep(1, 8000), 8000)
    film = convert(
        source, tmp_path / "film.mkv",
        "-f", "lavfi", "-i", "color=size=64x64:rate=5:duration=3", "-c:v", "mpeg4", "-c:a", "flac",
    )  # fmt: skip

    audio = decode(film, tmp_path)

    assert audio.duration_s == pytest.approx(1, abs=0.05)
    assert not audio.damaged


def test_tags_are_not_taken_for_complaints(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", sweep(1, 16000), 16000)
    titles = "Out of memory: File too large, misdetection possible [error] corrupt"
    tags = ["-metadata", f"title={titles}", "-metadata", "artist=No space left on device"]
    song = convert(source, tmp_path / "a.flac", *tags)

    audio = decode(song, tmp_path)

    assert (audio.duration_s, audio.damaged) == (1, False)


def test_pictures_without_sound(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", sweep(1, 8000), 8000)
    film = convert(
        source, tmp_path / "film.mp4",
        "-f", "lavfi", "-i", "color=size=64x64:rate=5:duration=1", "-map", "1:v", "-c:v", "mpeg4",
    )  # fmt: skip

    with pytest.raises(UndecodableAudio):
        decode(film, tmp_path)


@pytest.mark.parametrize("rate", [1, 100, 3999, 192_001, 768_000])
def test_rates_outside(rate: int, tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", np.zeros(500_000), rate)

    with pytest.raises(UnsupportedRate, match=str(rate)):
        decode(source, tmp_path)

    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("rate", [4000, 192_000])
def test_rates_at_the_edge(rate: int, tmp_path: Path) -> None:
    audio = decode(write_wav(tmp_path / "a.wav", sweep(1, rate), rate), tmp_path)

    assert audio.duration_s == pytest.approx(1, abs=0.01)


def forged_flac(path: Path, stated_samples: int) -> Path:
    """Write another number of samples into the header: it is trusted by whoever only probes."""
    content = bytearray(path.read_bytes())
    assert content[:4] == b"fLaC"
    (packed,) = struct.unpack_from(">Q", content, 18)
    struct.pack_into(">Q", content, 18, packed >> 36 << 36 | stated_samples)
    path.write_bytes(content)
    return path


def test_a_header_that_states_one_second_and_holds_ten_minutes(tmp_path: Path) -> None:
    silence = write_wav(tmp_path / "a.wav", np.zeros(600 * 8000), 8000)
    forged = forged_flac(convert(silence, tmp_path / "a.flac"), 8000)

    with pytest.raises(AudioTooLong, match="longer than 2 minutes"):
        decode(forged, tmp_path, longest_s=120)

    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("ending", "encoder"), [("flac", "flac"), ("opus", "libopus"), ("mp3", "libmp3lame")]
)
def test_long_silence_packed_small(ending: str, encoder: str, tmp_path: Path) -> None:
    if encoder not in encoders():
        pytest.skip(f"this ffmpeg cannot make it: no encoder {encoder}")
    silence = write_wav(tmp_path / "a.wav", np.zeros(300 * 8000), 8000)
    packed = convert(silence, tmp_path / f"a.{ending}", "-c:a", encoder)

    with pytest.raises(AudioTooLong):
        decode(packed, tmp_path, longest_s=60)

    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_longest_recording_still_passes(tmp_path: Path) -> None:
    just = write_wav(tmp_path / "just.wav", np.zeros(30 * 8000), 8000)
    over = write_wav(tmp_path / "over.wav", np.zeros(30 * 8000 + 8), 8000)

    assert decode(just, tmp_path, longest_s=30).duration_s == 30
    with pytest.raises(AudioTooLong):
        make_decoder(longest_s=30).decode(over, private_folder(tmp_path, "second"))


def test_two_channels_may_be_as_long_as_one(tmp_path: Path) -> None:
    limits = {"longest_s": 30, "output_bytes": DecodeLimits.of(30, 60, 768).output_bytes}
    just = write_wav(tmp_path / "just.wav", np.zeros(30 * 8000), 8000, channels=2)
    over = write_wav(tmp_path / "over.wav", np.zeros(600 * 8000), 8000, channels=2)

    assert decode(just, tmp_path, **limits).duration_s == 30
    with pytest.raises(AudioTooLong):
        make_decoder(**limits).decode(over, private_folder(tmp_path, "second"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", sweep(3, 16000), 16000)
    folder = private_folder(tmp_path)
    (folder / "audio.pcm").symlink_to("/dev/full")

    with pytest.raises(InsufficientStorage):
        make_decoder().decode(source, folder)

    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ({"wall_s": 0.01}, "wall time"),
        ({"output_bytes": 32_000}, "output size"),
        pytest.param(
            {"memory_bytes": 48 * 1024 * 1024}, "memory",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="limited on Linux only"),
        ),
    ],
)  # fmt: skip
def test_each_limit_is_named_and_the_next_call_is_fine(
    limits: dict[str, float], named: str, tmp_path: Path
) -> None:
    source = write_wav(tmp_path / "a.wav", sweep(5, 16000), 16000)

    with pytest.raises((UndecodableAudio, StageFailed)) as caught:
        decode(source, tmp_path, **limits)

    assert named in caught.value.detail
    assert list((tmp_path / "scratch").iterdir()) == []
    assert make_decoder().decode(source, tmp_path / "scratch").duration_s == 5


def test_limits_from_settings() -> None:
    limits = DecodeLimits.of(longest_s=14_400, timeout_s=299.5, memory_mb=768)

    assert (limits.wall_s, limits.cpu_s, limits.memory_bytes) == (299.5, 300, 768 * 1024 * 1024)
    assert limits.output_bytes == 14_402 * 32_000
    assert limits.run().output_bytes == 14_402 * 32_000
    assert limits.run(channels=2).output_bytes == 14_402 * 64_000
