"""Where ffmpeg is, and the options that every run of it gets."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.exceptions import ConfigurationError
from app.services.audio.guarded_process import Finished, RunLimits, run_guarded

AUDIO_DEMUXERS = (
    "wav", "w64", "aiff", "au", "caf", "flac", "ogg", "mp3", "aac", "amr", "gsm", "mov", "matroska", "asf",
    "avi", "flv", "ape", "wv", "tta", "voc", "sox", "nistsphere", "dss",
)  # fmt: skip
"""Containers that may be opened. Playlists, concat, DASH and SDP name other files, and are not among them.

Neither are raw formats without a signature: they would read any bytes as sound. A name that a version of
ffmpeg does not know does no harm.
"""

VERSION = re.compile(r"^ffmpeg version (\S+)")
VERSION_TIMEOUT_S = 20


def find_ffmpeg(configured: Path | None) -> Path:
    """The configured ffmpeg, else the system's, else the one that imageio-ffmpeg carries.

    Raises ConfigurationError when there is none.
    """
    if configured is not None:
        found = shutil.which(configured)
        if found is None:
            raise ConfigurationError(f"FFMPEG_PATH: {configured} is no program")
        return Path(found).resolve()
    found = shutil.which("ffmpeg")
    if found is not None:
        return Path(found).resolve()
    try:
        import imageio_ffmpeg

        return Path(imageio_ffmpeg.get_ffmpeg_exe()).resolve()
    except (ImportError, RuntimeError) as error:
        raise ConfigurationError(
            "ffmpeg was not found: install it, or imageio-ffmpeg, or name it in FFMPEG_PATH"
        ) from error


@dataclass(frozen=True)
class Ffmpeg:
    """One ffmpeg program. Thread-safe."""

    program: Path

    def version(self) -> str:
        """Its version, for the log; raises ConfigurationError when it does not run."""
        try:
            said = subprocess.run(
                [str(self.program), "-version"],
                capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                timeout=VERSION_TIMEOUT_S,
            ).stdout  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConfigurationError(f"{self.program} does not run") from error
        match = VERSION.match(said)
        if match is None:
            raise ConfigurationError(f"{self.program} is no ffmpeg")
        return match.group(1)

    def run(self, arguments: Sequence[str], folder: Path, limits: RunLimits) -> Finished:
        return run_guarded([str(self.program), "-nostdin", "-hide_banner", *arguments], folder, limits)


def guarded_input(name: str, demuxers: Sequence[str] = AUDIO_DEMUXERS) -> list[str]:
    """Options that open the file ``name`` in the run's folder, and nothing that it refers to."""
    return [
        "-format_whitelist", ",".join(demuxers), "-protocol_whitelist", "file", "-threads", "1",
        "-i", f"file:{name}",
    ]  # fmt: skip


def only_first_audio() -> list[str]:
    return ["-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1"]
