"""Loudness as ffmpeg measures it: the reference that ours is held to."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.services.audio.recordings import ffmpeg


def measured(path: Path, start_s: float = 0.0, end_s: float | None = None) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dBTP, of all of a file or of a stretch of it."""
    part = f"atrim=start={start_s}" + (f":end={end_s}" if end_s is not None else "")
    said = subprocess.run(
        [ffmpeg().program, "-nostdin", "-hide_banner", "-i", path,
         "-af", f"{part},asetpts=N/SR/TB,ebur128=peak=true", "-f", "null", "-"],
        capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    summary = said[said.rindex("Summary:") :]
    loudness = re.search(r"I:\s+(-?[\d.]+|-inf|nan) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+|-inf) dBFS", summary)
    assert loudness
    assert peak
    return float(loudness[1]), float(peak[1])
