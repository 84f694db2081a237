"""How the decoder judges what ffmpeg did: by a stand-in that does one wrong thing at a time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.core.exceptions import AudioTooLong, InsufficientStorage, UndecodableAudio
from app.schemas.audio import Audio
from app.services.audio.decoder import Decoder
from app.services.audio.ffmpeg import Ffmpeg
from tests.services.audio.recordings import make_limits

STAND_IN = """#!{python} -IS
import sys
def say(text):
    sys.stderr.write(text + chr(10))
def write(seconds):
    open("audio.pcm", "wb").write(bytes(round(seconds * {channels} * 16000) * 2))
if "s16le" not in sys.argv:
    say("  Duration: 00:00:02.00, bitrate: 128 kb/s")
    say("  Stream #0:0: Audio: pcm_s16le, 8000 Hz, {channels} channels, s16, 128 kb/s")
    sys.exit(1)
{does}
"""


def decode(does: str, tmp_path: Path, *, channels: int = 1, **limits: float) -> Audio:
    program, source, folder = tmp_path / "ffmpeg", tmp_path / "upload", tmp_path / "scratch"
    program.write_text(STAND_IN.format(python=sys.executable, does=does, channels=channels))
    program.chmod(0o700)
    source.write_bytes(b"RIFF0000")
    folder.mkdir()
    return Decoder(Ffmpeg(program), make_limits(**limits)).decode(source, folder)


def test_a_whole_recording(tmp_path: Path) -> None:
    audio = decode("write(2)", tmp_path)

    assert (audio.duration_s, audio.damaged) == (2, False)


def test_two_channels_are_measured_in_frames(tmp_path: Path) -> None:
    audio = decode("write(2)", tmp_path, channels=2)

    assert (audio.duration_s, audio.damaged, audio.channel_count) == (2, False, 2)


def test_a_frame_cut_in_two_does_not_count(tmp_path: Path) -> None:
    audio = decode("write(2); open('audio.pcm', 'ab').write(bytes(2))", tmp_path, channels=2)

    assert audio.sample_count == 32_000
    assert len(audio.read()) == len(audio.of_channel(1).read()) == 32_000


@pytest.mark.parametrize(
    "does",
    [
        "write(1.9); sys.exit(1)",
        "write(1.9); say('[mp3 @ 0x1] [error] Header missing')",
        "write(2); say('[in#0/mov @ 0x1] [warning] stream 0, offset 0xee2e: partial file')",
        "write(1.2)",
    ],
)
def test_a_damaged_recording_is_kept_as_far_as_it_goes(does: str, tmp_path: Path) -> None:
    audio = decode(does, tmp_path)

    assert audio.damaged
    assert audio.pcm_path.stat().st_size == 2 * audio.sample_count


@pytest.mark.parametrize(
    "talk", ["[warning] Guessed Channel Layout: mono", "[warning] filesize and duration"]
)
def test_harmless_talk(talk: str, tmp_path: Path) -> None:
    assert not decode(f"write(2); say({talk!r})", tmp_path).damaged


@pytest.mark.parametrize(
    "does",
    ["pass", "write(0)", "sys.exit(1)", "write(0.01); sys.exit(1)", "open('audio.pcm', 'w').write('x')"],
)
def test_an_exit_code_of_zero_is_not_enough(does: str, tmp_path: Path) -> None:
    with pytest.raises(UndecodableAudio):
        decode(does, tmp_path)

    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    with pytest.raises(InsufficientStorage):
        decode("write(1); say('[error] Error writing: No space left on device'); sys.exit(1)", tmp_path)

    assert list((tmp_path / "scratch").iterdir()) == []


def test_more_than_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(AudioTooLong):
        decode("write(40)", tmp_path, longest_s=30)

    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("does", "limits", "named"),
    [
        ("import time; time.sleep(600)", {"wall_s": 1.0}, "wall time"),
        ("write(1)\nwhile True: pass", {"cpu_s": 1}, "CPU time"),
        ("write(1); x = bytearray(2_000_000_000)", {}, "memory"),
        ("write(1); import os; os.abort()", {}, "memory"),
        ("write(10)", {"output_bytes": 100_000}, "output size"),
    ],
)
def test_each_limit_alone(does: str, limits: dict[str, float], named: str, tmp_path: Path) -> None:
    if named == "memory" and sys.platform != "linux":
        pytest.skip("address space is limited on Linux only")

    with pytest.raises(UndecodableAudio, match=f"its {named} limit"):
        decode(does, tmp_path, **limits)

    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_command_line(tmp_path: Path) -> None:
    decode("write(1); open('../told', 'w').write(chr(10).join(sys.argv))", tmp_path, longest_s=90)

    told = (tmp_path / "told").read_text().split("\n")
    assert told[told.index("-ac") + 1] == "1"
    assert {"-nostdin", "-vn", "-sn", "-dn"} <= set(told)
    assert told[told.index("-t") + 1] == "91.000"
    assert told[told.index("-protocol_whitelist") + 1] == "file"
    whitelist = told[told.index("-format_whitelist") + 1].split(",")
    assert not {"hls", "concat", "dash", "sdp", "rtsp", "image2", "s16le", "data", "lavfi", "imf"} & set(
        whitelist
    )
    assert told.index("-format_whitelist") < told.index("-i")
    assert told[told.index("-i") + 1] == "file:source"


@pytest.mark.parametrize(("channels", "kept"), [(1, "1"), (2, "2"), (3, "1"), (64, "1")])
def test_only_two_channels_are_kept_apart(channels: int, kept: str, tmp_path: Path) -> None:
    decode("write(1); open('../told', 'w').write(chr(10).join(sys.argv))", tmp_path, channels=channels)

    told = (tmp_path / "told").read_text().split("\n")
    assert told[told.index("-ac") + 1] == kept
