"""Twenty and more formats of the same sound, made with ffmpeg or by hand."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.services.audio.recordings import convert, sweep, write_wav

SECONDS = 2.0


@dataclass(frozen=True)
class Format:
    """``encoder``: what ffmpeg needs to make it; the test is skipped where it is not built in."""

    name: str
    make: Callable[[Path], Path]
    encoder: str | None = None
    lossless: bool = False


def _encoded(folder: Path, *, rate: int, channels: int, target: str, options: str) -> Path:
    source = write_wav(folder / "original.wav", sweep(SECONDS, rate), rate, channels)
    return convert(source, folder / target, *options.split())


def _gsm_frame(first: int) -> bytes:
    return bytes([first]) + bytes((37 * i) % 256 for i in range(32))


def _gsm_in_wav(folder: Path) -> Path:
    blocks = round(SECONDS * 8000 / 320)
    header = struct.pack("<HHIIHHHH", 0x31, 1, 8000, 1625, 65, 0, 2, 320)
    body = bytes((91 * i) % 256 for i in range(65)) * blocks
    content = b"WAVEfmt " + struct.pack("<I", len(header)) + header
    content += b"fact" + struct.pack("<II", 4, blocks * 320) + b"data" + struct.pack("<I", len(body)) + body
    path = folder / "gsm.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(content)) + content)
    return path


def _raw_gsm(folder: Path) -> Path:
    path = folder / "call.gsm"
    path.write_bytes(_gsm_frame(0xD1) * round(SECONDS * 50))
    return path


def _streamed_wav(folder: Path, size: int) -> Path:
    """As a program writes it into a pipe: it never comes back to fill in the lengths."""
    path = write_wav(folder / "streamed.wav", sweep(SECONDS, 8000), 8000)
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = struct.pack("<I", size)
    path.write_bytes(content)
    return path


def _coded(name: str, rate: int, channels: int, ending: str, options: str) -> Format:
    encoder = options.split()[options.split().index("-c:a") + 1]
    make = partial(_encoded, rate=rate, channels=channels, target=f"call.{ending}", options=options)
    return Format(
        name, make, encoder, encoder.startswith("pcm_s") or encoder in ("flac", "alac", "pcm_f32le")
    )


FORMATS = (
    _coded("wav_u8_8k", 8000, 1, "wav", "-c:a pcm_u8"),
    _coded("wav_s16_8k", 8000, 1, "wav", "-c:a pcm_s16le"),
    _coded("wav_s16_16k", 16000, 1, "wav", "-c:a pcm_s16le"),
    _coded("wav_s16_44k_stereo", 44100, 2, "wav", "-c:a pcm_s16le"),
    _coded("wav_s24_48k_stereo", 48000, 2, "wav", "-c:a pcm_s24le"),
    _coded("wav_s32_22k", 22050, 1, "wav", "-c:a pcm_s32le"),
    _coded("wav_f32_16k", 16000, 1, "wav", "-c:a pcm_f32le"),
    _coded("wav_mulaw_8k", 8000, 1, "wav", "-c:a pcm_mulaw"),
    _coded("wav_alaw_8k_stereo", 8000, 2, "wav", "-c:a pcm_alaw"),
    _coded("wav_adpcm_ms", 22050, 1, "wav", "-c:a adpcm_ms"),
    _coded("wav_adpcm_ima", 8000, 1, "wav", "-c:a adpcm_ima_wav"),
    _coded("wav_rf64", 16000, 1, "wav", "-c:a pcm_s16le -rf64 always"),
    Format("wav_gsm_8k", _gsm_in_wav),
    Format("gsm_raw_8k", _raw_gsm),
    Format("wav_streamed", partial(_streamed_wav, size=0xFFFFFFFF), lossless=True),
    Format("wav_streamed_2gb", partial(_streamed_wav, size=0x7FFFFFFF), lossless=True),
    Format("wav_streamed_zero", partial(_streamed_wav, size=0), lossless=True),
    _coded("w64", 16000, 1, "w64", "-c:a pcm_s16le"),
    _coded("mp3_8k", 8000, 1, "mp3", "-c:a libmp3lame -b:a 16k"),
    _coded("mp3_16k", 16000, 1, "mp3", "-c:a libmp3lame"),
    _coded("mp3_44k_stereo_vbr", 44100, 2, "mp3", "-c:a libmp3lame -q:a 4"),
    _coded("mp3_without_tag", 44100, 1, "mp3", "-c:a libmp3lame -write_xing 0 -id3v2_version 0"),
    _coded("m4a_aac_44k_stereo", 44100, 2, "m4a", "-c:a aac"),
    _coded("m4a_alac", 44100, 1, "m4a", "-c:a alac"),
    _coded("mp4_fragmented", 44100, 1, "mp4", "-c:a aac -movflags frag_keyframe+empty_moov"),
    _coded("aac_adts", 44100, 1, "aac", "-c:a aac"),
    _coded("ogg_opus_48k", 48000, 1, "ogg", "-c:a libopus"),
    _coded("ogg_opus_from_16k", 16000, 1, "opus", "-c:a libopus -b:a 6k"),
    _coded("ogg_vorbis_44k_stereo", 44100, 2, "ogg", "-c:a libvorbis"),
    _coded("ogg_flac", 16000, 1, "oga", "-c:a flac"),
    _coded("webm_opus_stereo", 48000, 2, "webm", "-c:a libopus"),
    _coded("webm_vorbis", 44100, 1, "webm", "-c:a libvorbis"),
    _coded("matroska_pcm", 16000, 2, "mka", "-c:a pcm_s16le"),
    _coded("flac_48k_24bit_stereo", 48000, 2, "flac", "-c:a flac -sample_fmt s32"),
    _coded("flac_8k", 8000, 1, "flac", "-c:a flac"),
    _coded("amr_nb", 8000, 1, "amr", "-c:a libopencore_amrnb"),
    _coded("3gp_amr", 8000, 1, "3gp", "-c:a libopencore_amrnb"),
    _coded("aiff_44k_stereo", 44100, 2, "aiff", "-c:a pcm_s16be"),
    _coded("au_mulaw", 8000, 1, "au", "-c:a pcm_mulaw"),
    _coded("caf", 44100, 1, "caf", "-c:a pcm_s16le"),
    _coded("wma", 44100, 1, "wma", "-c:a wmav2"),
    _coded("avi", 16000, 1, "avi", "-c:a pcm_s16le"),
)
