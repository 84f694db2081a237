"""The cues of a reel as WebVTT chapters."""

from __future__ import annotations

from app.schemas.reel import Cue, Reel

_SAFE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def to_vtt(reel: Reel) -> str:
    """A chapter for each moment: its title, named by the moment's id."""
    return "\n".join(["WEBVTT\n", *(_chapter(cue) for cue in reel.cues)])


def _chapter(cue: Cue) -> str:
    return f"{cue.moment_id}\n{_time(cue.start_s)} --> {_time(cue.end_s)}\n{cue.title.translate(_SAFE)}\n"


def _time(seconds: float) -> str:
    whole, ms = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}.{ms:03d}"
