"""What ffmpeg prints of a file, in the words of its versions."""

from __future__ import annotations

import pytest

from app.services.audio.probe import read_probe

NEW = """Input #0, wav, from 'file:source':
  Metadata:
    encoder         : Lavf59.27.100
  Duration: 01:02:11.50, bitrate: 256 kb/s
  Stream #0:0: Audio: pcm_s16le ([1][0][0][0] / 0x0001), 16000 Hz, mono, s16, 256 kb/s
At least one output file must be specified
"""
OLD = NEW.replace("  Stream #0:0", "    Stream #0:0")
VIDEO = """Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:source':
  Duration: 00:00:09.01, start: 0.000000, bitrate: 66 kb/s
  Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p, 640x360, 25 fps
  Stream #0:1[0x2](eng): Audio: aac (LC) (mp4a / 0x6134706D), 44100 Hz, stereo, fltp, 65 kb/s (default)
"""
REFUSED = "[in#0 @ 0x5567b9ab0e40] Error opening input: Invalid data found when processing input\n"


@pytest.mark.parametrize("messages", [NEW, OLD])
def test_rate_and_length(messages: str) -> None:
    probe = read_probe(messages)

    assert (probe.has_audio, probe.doubtful) == (True, False)
    assert (probe.sample_rate, probe.stated_s) == (16000, 3731.5)


AUDIO = "  Stream #0:0[0x1](eng): Audio: "


@pytest.mark.parametrize(
    ("line", "channels"),
    [
        ("pcm_s16le ([1][0][0][0] / 0x0001), 16000 Hz, mono, s16, 256 kb/s", 1),
        ("pcm_mulaw ([7][0][0][0] / 0x0007), 8000 Hz, 1 channels, s16, 64 kb/s", 1),
        ("pcm_mulaw ([7][0][0][0] / 0x0007), 8000 Hz, 2 channels, s16, 128 kb/s", 2),
        ("pcm_s24le, 48000 Hz, 1 channels (FL), s32 (24 bit), 1152 kb/s", 1),
        ("pcm_s24le, 48000 Hz, 2 channels (FL+LFE), s32 (24 bit), 2304 kb/s", 2),
        ("mp3 (mp3float), 44100 Hz, stereo, fltp, 64 kb/s", 2),
        ("aac (LC) (mp4a / 0x6134706D), 44100 Hz, stereo, fltp, 65 kb/s (default)", 2),
        ("wavpack, 44100 Hz, stereo", 2),
        ("ac3, 48000 Hz, downmix, fltp, 192 kb/s", 2),
        ("opus, 48000 Hz, binaural, fltp", 2),
        ("ac3, 48000 Hz, 5.1(side), fltp, 384 kb/s", None),
        ("pcm_s16le, 8000 Hz, 64 channels, s16", 64),
        ("pcm_s16le, 8000 Hz, 12 channels, s16", 12),
        ("pcm_s16le, 8000 Hz, s16", None),
        ("amr_nb (samr / 0x726D6173), mono", None),
    ],
)
def test_channels(line: str, channels: int | None) -> None:
    assert read_probe(AUDIO + line + "\n").channels == channels


def test_a_length_beside_pictures_says_nothing_of_the_sound() -> None:
    probe = read_probe(VIDEO)

    assert (probe.sample_rate, probe.stated_s) == (44100, None)


@pytest.mark.parametrize(
    "change",
    [
        ("  Duration: 01:02:11.50", "  Duration: N/A"),
        ("Input #0", "[wav @ 0x1] Estimating duration from bitrate, this may be inaccurate\nInput #0"),
    ],
)
def test_a_guessed_length_does_not_count(change: tuple[str, str]) -> None:
    assert read_probe(NEW.replace(*change)).stated_s is None


def test_a_guessed_format_is_doubtful() -> None:
    guess = "[in#0 @ 0x1] Format mp3 detected only with low score of 1, misdetection possible!\n"

    assert read_probe(guess + NEW).doubtful


def test_tags_cannot_speak_for_the_streams() -> None:
    tag = "    Stream #0:0: Audio: pcm, 16000 Hz, mono : x\n"
    told = NEW.replace("  Duration", tag + "  Duration").replace("16000 Hz, mono, s16", "1 Hz, mono, s16")

    assert read_probe(told).sample_rate == 1


def test_a_refused_file_has_no_audio() -> None:
    probe = read_probe(REFUSED)

    assert (probe.has_audio, probe.sample_rate, probe.stated_s) == (False, None, None)


def test_a_stream_without_a_rate() -> None:
    assert read_probe("  Stream #0:0: Audio: amr_nb (samr / 0x726D6173), mono\n").sample_rate is None
