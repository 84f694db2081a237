"""What ffmpeg says of a file before anything is decoded: sample rate, channels, stated length, doubts."""

from __future__ import annotations

import re
from dataclasses import dataclass

PROBE_WALL_S = 30.0

STREAM = re.compile(r"^( {2}| {4})Stream #0:\d+\S*: (\w+): (.*)$", re.MULTILINE)
RATE = re.compile(r"(?:^|, )(\d+) Hz(?:,|$)")
CHANNELS = re.compile(r"(?:^|, )\d+ Hz, (?:(mono)|(stereo|downmix|binaural)|(\d+) channels)\b")
"""Older versions count what newer ones name, and all count what has no name."""
DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d\.\d+)", re.MULTILINE)
ESTIMATED = re.compile(r"^(?! ).*Estimating duration", re.MULTILINE)
DOUBTFUL = re.compile(r"^(?! ).*misdetection possible", re.MULTILINE)


@dataclass(frozen=True)
class Probe:
    """``channels``: their number, None where it is not told or has a name of its own (5.1, say).

    ``stated_s``: the length that the container states for certain, if it does; never trusted upwards.
    """

    has_audio: bool
    sample_rate: int | None
    channels: int | None
    stated_s: float | None
    doubtful: bool


def read_probe(messages: str) -> Probe:
    """Read what ``ffmpeg -i FILE`` prints. A file that ffmpeg cannot open has no audio."""
    lines = STREAM.findall(messages)
    # Tags of the file may hold anything and are printed further in than its streams (by two spaces, or by
    # four up to version 4.3), so only the lines furthest out are believed.
    outermost = min((indent for indent, _, _ in lines), default="")
    streams = [(kind, details) for indent, kind, details in lines if indent == outermost]
    audio = [details for kind, details in streams if kind == "Audio"]
    rate = RATE.search(audio[0]) if audio else None
    duration = DURATION.search(messages)
    stated_s = None
    # Of a file with pictures too, the length is that of the longest stream.
    if duration is not None and len(streams) == 1 and not ESTIMATED.search(messages):
        hours, minutes, seconds = duration.groups()
        stated_s = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return Probe(
        bool(audio),
        int(rate.group(1)) if rate else None,
        _count_channels(audio[0]) if audio else None,
        stated_s,
        DOUBTFUL.search(messages) is not None,
    )


def _count_channels(details: str) -> int | None:
    told = CHANNELS.search(details)
    if told is None:
        return None
    mono, stereo, number = told.groups()
    return 1 if mono else 2 if stereo else int(number)
