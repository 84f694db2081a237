"""Walks from frame to frame of an MP3 file without decoding it: how long it is, and whether it is regular.

Headers: ISO/IEC 11172-3, 2.4.1.3 and 13818-3, 2.4.2.3; the first frame of many files holds no sound but a
table (Xing, Info; http://gabriel.mp3-tech.org/mp3infotag.html) or VBRI.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from os import SEEK_CUR
from pathlib import Path
from typing import BinaryIO

_ID3_HEAD_BYTES = 10
_MOST_FRAME_BYTES = 1_441
_BLOCK_BYTES = 1 << 20
_BIT_RATES = {
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Of MPEG 1 and of MPEG 2 (and 2.5), layer III, in kbit/s, from the index 1 on."""
_SAMPLE_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_LAYER_III = 1


@dataclass(frozen=True)
class Mp3Frames:
    """``length_s``: of all frames in a row, but for what the encoder states to have put around the sound.

    ``has_one_size``: the frames are all of one bit rate, and as many as the first frame states.
    """

    length_s: float
    is_said_to_have_one_size: bool
    has_one_size: bool


def walk_mp3(path: Path, longest_s: float) -> Mp3Frames | None:
    """Walks no further than to ``longest_s``. None where no frame of layer III follows the tags, or the first
    says nothing of its length."""
    with path.open("rb") as file:
        file.seek(_after_tags(file))
        first = file.read(_MOST_FRAME_BYTES)
        lengths = _frame_lengths(first[1], first[2]) if len(first) >= 4 and first[0] == 0xFF else {}
        if not lengths:
            return None
        version, rate_index = first[1] >> 3 & 3, first[2] >> 2 & 3
        rate, samples = _SAMPLE_RATES[version][rate_index], 1152 if version == 3 else 576
        length = lengths[first[1], first[2]]
        table = _Table.of(first[:length])
        file.seek((length if table.is_there else 0) - len(first), SEEK_CUR)
        count, kinds = _walk(file, lengths, ceil(longest_s * rate / samples))
    has_one_size = len(kinds) == 1 and abs((table.frame_count or 0) - count) <= 1
    return Mp3Frames((count * samples - table.padding) / rate, table.says_one_size, has_one_size)


def _after_tags(file: BinaryIO) -> int:
    place = 0
    while (head := file.read(_ID3_HEAD_BYTES))[:3] == b"ID3" and len(head) == _ID3_HEAD_BYTES:
        size = 0
        for seven_bits in head[6:]:
            size = size << 7 | seven_bits & 0x7F
        footer_bytes = _ID3_HEAD_BYTES if head[5] & 0x10 else 0
        place += _ID3_HEAD_BYTES + size + footer_bytes
        file.seek(place)
    return place


def _walk(file: BinaryIO, lengths: Mapping[tuple[int, int], int], most: int) -> tuple[int, set[int]]:
    """How many frames follow one another, up to ``most``, and which bit rates they have."""
    count, kinds = 0, set()
    at, place = file.tell(), 0
    data = file.read(_BLOCK_BYTES)
    while count < most:
        if place + 3 > len(data):
            at += place
            file.seek(at)
            data, place = file.read(_BLOCK_BYTES), 0
            if len(data) < 3:
                break
        kind = data[place + 1], data[place + 2]
        if data[place] != 0xFF or kind not in lengths:
            break
        kinds.add(kind[1] >> 4)
        place += lengths[kind]
        count += 1
    return count, kinds


def _frame_lengths(second: int, third: int) -> dict[tuple[int, int], int]:
    """Bytes of each frame that may stand in one stream with this one, by its second and third byte."""
    version, layer, rate_index = second >> 3 & 3, second >> 1 & 3, third >> 2 & 3
    if second >> 5 != 7 or version not in _SAMPLE_RATES or layer != _LAYER_III or rate_index == 3:
        return {}
    rate = _SAMPLE_RATES[version][rate_index]
    unit = 144_000 if version == 3 else 72_000
    lengths = {
        (second ^ protection, index << 4 | rate_index << 2 | padding << 1 | private): unit * kbits // rate
        + padding
        for index, kbits in enumerate(_BIT_RATES[max(version, 2)], 1)
        for padding in (0, 1)
        for private in (0, 1)
        for protection in (0, 1)
    }
    return lengths if (second, third) in lengths else {}


@dataclass(frozen=True)
class _Table:
    """What a first frame without sound states; ``padding``: samples before and after the sound."""

    is_there: bool = False
    says_one_size: bool = False
    frame_count: int | None = None
    padding: int = 0

    @classmethod
    def of(cls, frame: bytes) -> _Table:
        """The fields between the name and LAME's extension are there as their bits of the flags say."""
        name = max(frame.find(b"Info"), frame.find(b"Xing"))
        if name < 0:
            return cls(is_there=b"VBRI" in frame)
        flags = int.from_bytes(frame[name + 4 : name + 8])
        count = int.from_bytes(frame[name + 8 : name + 12]) if flags & 1 else None
        extension = name + 8 + sum(size for bit, size in enumerate((4, 4, 100, 4)) if flags >> bit & 1)
        padding = 0
        if frame[extension : extension + 4].strip(b"\0"):
            stated = int.from_bytes(frame[extension + 21 : extension + 24])
            padding = (stated >> 12) + (stated & 0xFFF)
        return cls(True, frame[name : name + 4] == b"Info", count, padding)
