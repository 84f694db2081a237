"""Files that pretend to be audio: the attacks that were seen to work on careless decoders."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator


def attack_corpus(secret: str, port: int) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each attack; ``secret`` is the file that they want to read, by whatever path."""
    web = f"http://127.0.0.1:{port}/secret.wav"
    for where, target in (("file", secret), ("web", web)):
        yield f"m3u8_{where}", _hls(target)
        yield f"m3u8_bom_{where}", b"\xef\xbb\xbf\r\n" + _hls(target)
        yield f"m3u8_behind_id3_{where}", b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) + _hls(target)
        yield f"m3u8_master_{where}", _hls_master(target)
        yield f"ffconcat_{where}", f"ffconcat version 1.0\nfile '{target}'\n".encode()
        yield f"mpd_{where}", _dash(target)
        yield f"pls_{where}", f"[playlist]\nFile1={target}\nNumberOfEntries=1\n".encode()
        yield f"asx_{where}", f'<asx version="3.0"><entry><ref href="{target}"/></entry></asx>'.encode()
        yield f"svg_{where}", _svg(target)
        yield f"html_{where}", f'<!DOCTYPE html>\n<html><audio src="{target}"></html>'.encode()
    yield "sdp", _sdp(port)
    yield "sdp_terse", _sdp(port).replace(b"v=0\r\n", b"")
    yield "zip", _zip()
    yield "gzip", b"\x1f\x8b\x08\x00" + bytes(64)
    yield "pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"
    yield "elf", b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, 62, 1) + bytes(200)
    yield "pe", b"MZ\x90\x00" + bytes(60) + b"PE\x00\x00" + bytes(200)
    yield "shell_script", b"#!/bin/sh\nid > /tmp/owned\n"
    yield "php", b"<?php system($_GET['c']); ?>"
    yield "png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 1, 1) + bytes(64)
    yield "jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(64)
    yield "gif", b"GIF89a\x01\x00\x01\x00" + bytes(32)
    yield "webp", b"RIFF\x40\x00\x00\x00WEBPVP8 " + bytes(64)
    yield "bmp", b"BM" + struct.pack("<IHHIIiiHH", 154, 0, 0, 54, 40, 5, 5, 1, 24) + bytes(100)
    yield "tiff", b"II*\x00\x08\x00\x00\x00" + bytes(64)
    yield "icon", struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, 64, 22) + bytes(64)
    yield "avif", b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf" + bytes(64)
    yield "heic", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64)
    yield "playlist_utf16", "#EXTM3U\n#EXTINF:1,\n".encode("utf-16") + secret.encode("utf-16")


def _hls(target: str) -> bytes:
    return (
        f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:0\n"
        f"#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n"
    ).encode()


def _hls_master(target: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=128000\n{target}\n".encode()


def _dash(target: str) -> bytes:
    return (
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT5S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
        '<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1000">'
        f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    ).encode()


def _sdp(port: int) -> bytes:
    return (
        f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    ).encode()


def _svg(target: str) -> bytes:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<image xlink:href="{target}" width="9" height="9"/></svg>'
    ).encode()


def _zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("call.wav", b"RIFF")
    return target.getvalue()
