"""Broken and flipped files: a named error or a recording, never anything else, nothing left behind."""

from __future__ import annotations

import os
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app.core.exceptions import AudioRejected
from app.schemas.audio import Audio
from app.services.audio.decoder import Decoder
from app.services.audio.sniff import HEAD_BYTES, check_media
from tests.services.audio.recordings import convert, make_decoder, sweep, write_wav

BIT_FLIPS = int(os.environ.get("BIT_FLIPS", "100"))
"""Flipped files to try; `BIT_FLIPS=1000` is the whole run, some two minutes."""
WORKERS = 2
SECONDS = 2.0


def judge(content: bytes, folder: Path, decoder: Decoder) -> Audio | str:
    """The recording, or the code of the error; anything else fails the test. Removes the folder."""
    folder.mkdir()
    upload, scratch = folder / "upload", folder / "scratch"
    upload.write_bytes(content)
    scratch.mkdir()
    try:
        check_media(content[:HEAD_BYTES], len(content))
        audio = decoder.decode(upload, scratch)
    except AudioRejected as error:
        assert list(scratch.iterdir()) == []
        return error.code
    else:
        assert list(scratch.iterdir()) == [audio.pcm_path]
        assert audio.pcm_path.stat().st_size == 2 * audio.sample_count > 0
        return audio
    finally:
        shutil.rmtree(folder)


def judge_all(files: dict[str, bytes], tmp_path: Path) -> dict[str, Audio | str]:
    decoder = make_decoder(longest_s=60.0, wall_s=30.0, output_bytes=62 * 32_000)
    with ThreadPoolExecutor(WORKERS) as pool:
        results = pool.map(lambda item: judge(item[1], tmp_path / item[0], decoder), files.items())
    return dict(zip(files, results, strict=True))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One short recording in each container."""
    folder = tmp_path_factory.mktemp("whole")
    source = write_wav(folder / "a.wav", sweep(SECONDS, 16000), 16000)
    for name in ("a.mp3", "a.flac", "a.ogg", "a.m4a", "a.webm"):
        convert(source, folder / name)
    return {path.suffix[1:]: path.read_bytes() for path in sorted(folder.iterdir())}


def wav_header(
    *, tag: int = 1, channels: int = 1, rate: int = 16000, align: int = 2, bits: int = 16, size: int = 32000
) -> bytes:
    return (
        b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, tag, channels, rate, (rate * align) & 0xFFFFFFFF, align, bits)
        + b"data" + struct.pack("<I", size)
    )  # fmt: skip


def broken_headers() -> Iterator[tuple[str, bytes]]:
    sound = np.round(sweep(SECONDS, 16000) * 32767).astype("<i2").tobytes()
    yield "header_only", wav_header(size=0)
    yield "header_that_promises", wav_header()
    yield "zero_rate", wav_header(rate=0) + sound
    yield "highest_rate", wav_header(rate=0xFFFFFFFF) + sound
    yield "zero_channels", wav_header(channels=0) + sound
    yield "channels_64", wav_header(channels=64, align=128) + sound
    yield "channels_65535", wav_header(channels=65535, align=65535) + sound
    yield "zero_align", wav_header(align=0) + sound
    yield "zero_bits", wav_header(bits=0) + sound
    yield "odd_bits", wav_header(bits=13) + sound
    yield "many_bits", wav_header(bits=999) + sound
    yield "unknown_codec", wav_header(tag=0x7777) + sound
    yield "codec_of_pictures", wav_header(tag=0x55, bits=0, align=1) + sound
    yield "no_data", wav_header()[:36]
    yield "half_a_header", wav_header()[:20]
    yield "riff_only", b"RIFF"
    yield "huge_chunk", b"RIFF\xff\xff\xff\x7fWAVELIST\xff\xff\xff\x7f" + sound
    yield "flac_magic_only", b"fLaC"
    yield "flac_header_zero", b"fLaC\x80\x00\x00\x22" + bytes(34)
    yield "ogg_page_only", b"OggS\x00\x02" + bytes(22)
    yield "webm_head_only", b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm"
    yield "mp4_head_only", b"\x00\x00\x00\x18ftypM4A \x00\x00\x02\x00M4A mp42"
    yield (
        "mp4_endless_atom",
        b"\x00\x00\x00\x18ftypM4A \x00\x00\x02\x00M4A mp42\xff\xff\xff\xffmoov" + bytes(99),
    )
    yield "id3_only", b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(10)
    yield "id3_endless", b"ID3\x03\x00\x00\x7f\x7f\x7f\x7f" + bytes(99)
    yield "mp3_one_frame", b"\xff\xfb\x90\x64" + bytes(413)
    yield "aiff_empty", b"FORM\x00\x00\x00\x04AIFF"
    yield "amr_magic_only", b"#!AMR\n"
    yield "one_byte", b"R"
    yield "zeros", bytes(100_000)
    yield "ones", b"\xff" * 100_000
    yield "samples_alone", sound
    yield "text", b"this is not a recording\n" * 100
    yield "empty", b""
    for seed in range(6):
        yield f"noise_{seed}", random.Random(seed).randbytes(60_000)


UNUSABLE = (
    "header_only", "header_that_promises", "zero_channels", "no_data", "half_a_header", "riff_only",
    "flac_magic_only", "ogg_page_only", "webm_head_only", "mp4_head_only", "id3_only", "amr_magic_only",
    "one_byte", "zeros", "ones", "samples_alone", "text", "noise_0", "noise_1", "noise_2", "noise_3",
    "noise_4", "noise_5",
)  # fmt: skip


def test_broken_headers(tmp_path: Path) -> None:
    results = judge_all(dict(broken_headers()), tmp_path)

    assert {name: results[name] for name in UNUSABLE} == dict.fromkeys(UNUSABLE, "undecodable_audio")
    assert results["empty"] == "empty_audio"
    assert list(tmp_path.iterdir()) == []


def test_files_cut_at_each_tenth(whole: dict[str, bytes], tmp_path: Path) -> None:
    cut = {
        f"{ending}_{tenth}": content[: len(content) * tenth // 10]
        for ending, content in whole.items()
        for tenth in range(1, 10)
    }

    results = judge_all(cut, tmp_path)

    assert len(results) == 54
    for name, result in results.items():
        assert result == "undecodable_audio" or isinstance(result, Audio), name
        assert isinstance(result, str) or result.duration_s < SECONDS + 0.1, name
    for ending in ("wav", "flac", "mp3"):
        half = results[f"{ending}_5"]
        assert isinstance(half, Audio) and half.damaged and 0.3 < half.duration_s < 1.5, ending


def test_flipped_bits(whole: dict[str, bytes], tmp_path: Path) -> None:
    """Half of the flips hit the first 200 bytes, where the headers are."""
    chance = random.Random(20)
    endings = sorted(whole)
    flipped = {}
    for number in range(BIT_FLIPS):
        ending = endings[number % len(endings)]
        content = bytearray(whole[ending])
        reach = 200 if number // len(endings) % 2 else len(content)
        for _ in range(chance.choice((1, 1, 2, 8))):
            content[chance.randrange(reach)] ^= 1 << chance.randrange(8)
        flipped[f"{number}_{ending}"] = bytes(content)

    results = judge_all(flipped, tmp_path)

    codes = {result for result in results.values() if isinstance(result, str)}
    assert codes <= {"undecodable_audio", "unsupported_rate", "audio_too_long", "unsupported_media"}
    assert sum(isinstance(result, Audio) for result in results.values()) > BIT_FLIPS // 4


@pytest.mark.parametrize("blank", [lambda: b"\x00" * 1000, lambda: bytes(random.Random(9).randbytes(1000))])
def test_rubbish_after_the_sound(blank: Callable[[], bytes], whole: dict[str, bytes], tmp_path: Path) -> None:
    results = judge_all({ending: content + blank() for ending, content in whole.items()}, tmp_path)

    for ending, result in results.items():
        assert isinstance(result, Audio), ending
        assert result.duration_s == pytest.approx(SECONDS, abs=0.15), ending
