"""What is no recording is refused by its bytes; no recording is."""

from __future__ import annotations

import struct

import pytest

from app.core.exceptions import AudioRejected, EmptyAudio, UnsupportedMedia
from app.services.audio.sniff import HEAD_BYTES, check_media
from tests.services.audio.attacks import attack_corpus
from tests.services.audio.recordings import SHARED, needs_recordings

ATTACKS = dict(attack_corpus("/secret/call.wav", 9))

SOUND_OPENINGS = {
    "wav": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "wav_64": b"RF64\xff\xff\xff\xffWAVEds64",
    "wave64": b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00",
    "avi": b"RIFF\x24\x00\x00\x00AVI LIST",
    "aiff": b"FORM\x00\x00\x10\x00AIFFCOMM",
    "aifc": b"FORM\x00\x00\x10\x00AIFCFVER",
    "mp3": b"\xff\xfb\x90\x64\x00\x0f\xf0\x00",
    "mp2_low": b"\xff\xf3\x84\x64\x00\x0f\xf0\x00",
    "mp3_tagged": b"ID3\x03\x00\x00\x00\x00\x00\x0aTIT2\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x64",
    "mp3_long_tag": b"ID3\x03\x00\x00\x00\x7f\x7f\x7f" + b"APIC" + bytes(100) + b"#EXTM3U",
    "aac": b"\xff\xf1\x50\x80\x02\x1f\xfc",
    "flac": b"fLaC\x00\x00\x00\x22\x10\x00\x10\x00",
    "ogg": b"OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00",
    "m4a": b"\x00\x00\x00\x20ftypM4A \x00\x00\x02\x00M4A mp42isom",
    "mp4": b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2",
    "3gp": b"\x00\x00\x00\x18ftyp3gp4\x00\x00\x02\x003gp4",
    "quicktime": b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  ",
    "webm": b"\x1a\x45\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1f",
    "amr": b"#!AMR\n\x3c\x91\x17\x16",
    "amr_wide": b"#!AMR-WB\n\x24\x91\x17\x16",
    "silk": b"#!SILK_V3\x0c\x00",
    "au": b".snd\x00\x00\x00\x18\xff\xff\xff\xff",
    "caf": b"caff\x00\x01\x00\x00desc",
    "wma": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",
    "sphere": b"NIST_1A\n   1024\nchannel_count -i 1\n",
    "voc": b"Creative Voice File\x1a\x1a\x00",
    "silence": bytes(256),
    "mulaw_silence": b"\xff" * 256,
    "unknown_text": b"this is not a recording",
    "nearly_bmp": b"BM" + struct.pack("<IHHII", 1, 2, 3, 4, 77) + bytes(99),
    "nearly_icon": b"\x00\x00\x01\x00\x05\x00" + bytes(99),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_something_else_is_refused(name: str) -> None:
    content = ATTACKS[name]

    with pytest.raises(UnsupportedMedia) as caught:
        check_media(content[:HEAD_BYTES], len(content))

    assert "secret" not in caught.value.detail


def is_refused(head: bytes, size: int) -> bool:
    try:
        check_media(head, size)
    except AudioRejected:
        return True
    return False


@pytest.mark.parametrize("name", SOUND_OPENINGS)
def test_sound_and_the_unknown_pass(name: str) -> None:
    assert not is_refused(SOUND_OPENINGS[name], 10_000)


@pytest.mark.parametrize("blank", [b"\xef\xbb\xbf", b"\n\n  \t", b"\xef\xbb\xbf\r\n \x0c"])
def test_blanks_before_text_hide_nothing(blank: bytes) -> None:
    for name in ("m3u8_file", "ffconcat_file", "mpd_web", "svg_file", "html_web", "shell_script"):
        with pytest.raises(UnsupportedMedia):
            check_media(blank + ATTACKS[name], 10_000)


def test_nothing_at_all_is_empty() -> None:
    with pytest.raises(EmptyAudio):
        check_media(b"", 0)


def test_tags_within_tags_end() -> None:
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x00"

    check_media(tag * 400, 4000)
    with pytest.raises(UnsupportedMedia):
        check_media(tag * 100 + b"#EXTM3U\n", 2000)


def test_long_text_is_judged_at_once() -> None:
    assert not is_refused(b"\n".join([b"c=out ip"] * 400)[:HEAD_BYTES], 10_000_000)


@needs_recordings
def test_no_real_recording_is_refused() -> None:
    files = [path for path in SHARED.iterdir() if path.suffix not in (".json", ".srt", ".md")]

    for path in files:
        content = path.read_bytes()
        check_media(content[:HEAD_BYTES], len(content))

    assert len(files) > 40
