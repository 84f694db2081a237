"""Whether a file's own times are those that the decoder counts, so that one may begin in its middle."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from app.services.audio.ffmpeg import Ffmpeg, guarded_input
from app.services.audio.guarded_process import RunLimits
from app.services.audio.mp3_frames import walk_mp3
from app.services.audio.probe import PROBE_WALL_S, read_probe

CONTAINER = re.compile(r"^Input #0, (\S+), from ", re.MULTILINE)
WITH_TIMES = frozenset(("wav", "flac", "ogg", "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"))
"""Containers that say of every place in them what time it is; tested one by one."""
MOST_OFF_S = 0.05
"""By which the length that a file states, or that its frames have, may differ from what was decoded of it."""


def times_hold(ffmpeg: Ffmpeg, name: str, folder: Path, limits: RunLimits, heard_s: float) -> bool:
    """Of the recording ``name`` in ``folder``, of which ``heard_s`` were decoded when it came in.

    Where sound is missing, damaged or put together of parts, times and samples part, and so do the lengths.
    An MP3 names no times. ffmpeg counts them frame by frame from its start, which is exact, unless the first
    frame says that all are of one size: then it reckons with bytes, and what is said must be true.
    """
    limits = replace(limits, wall_s=min(limits.wall_s, PROBE_WALL_S))
    messages = ffmpeg.run(["-v", "info", *guarded_input(name)], folder, limits).messages
    container = CONTAINER.search(messages)
    if container is None:
        return False
    if container[1] == "mp3":
        frames = walk_mp3(folder / name, heard_s + 1)
        if frames is None or (frames.is_said_to_have_one_size and not frames.has_one_size):
            return False
        return _is_near(frames.length_s, heard_s)
    stated_s = read_probe(messages).stated_s
    return container[1] in WITH_TIMES and stated_s is not None and _is_near(stated_s, heard_s)


def _is_near(length_s: float, heard_s: float) -> bool:
    return abs(length_s - heard_s) <= MOST_OFF_S
