"""Runs a voice in a process of its own, which is ended when it takes too long: a library cannot be."""

from __future__ import annotations

import errno
import logging
import os
import signal
import subprocess
import wave
from collections.abc import Sequence
from contextlib import suppress
from math import ceil
from pathlib import Path
from uuid import uuid4

from app.core.exceptions import InsufficientStorage, StageFailed

log = logging.getLogger(__name__)

GRACE_S = 5
"""How much longer than its timeout a process lives at most, when nobody is left to end it."""
FULL_DISK = tuple(f"[Errno {number}]" for number in (errno.ENOSPC, errno.EDQUOT))


def spoken_by_process(
    command: Sequence[str], arguments: Sequence[str], text: str, folder: Path, *, timeout_s: float, voice: str
) -> Path:
    """Have ``command`` speak ``text``, which it reads from its standard input, into a new WAV file.

    It is given ``arguments``, then the seconds after which it has to end by itself, then the file to write.
    ``voice`` names it in errors. Raises StageFailed or InsufficientStorage, and leaves neither a file nor a
    process behind then.
    """
    target = folder.absolute() / f"{uuid4().hex}.wav"
    life_s = ceil(timeout_s) + GRACE_S
    try:
        _run((*command, *arguments, str(life_s), str(target)), text, timeout_s, voice)
        if not _is_whole(target):
            raise StageFailed("tts", f"{voice} gave no sound")
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def _run(command: Sequence[str], text: str, timeout_s: float, voice: str) -> None:
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            said = process.communicate(_encoded(text), timeout=timeout_s)[1]
        except subprocess.TimeoutExpired:
            raise StageFailed("tts", f"{voice} took longer than {timeout_s:g} s") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        last = "".join(said.decode("utf-8", "replace").strip().splitlines()[-1:])
        log.warning("tts.process_failed", extra={"returncode": process.returncode, "said": last})
        if any(sign in last for sign in FULL_DISK):
            raise InsufficientStorage
        raise StageFailed("tts", f"{voice} ended with code {process.returncode}")


def _encoded(text: str) -> bytes:
    """UTF-8 for libraries that take a zero byte for the end of the text."""
    return text.replace("\0", " ").encode("utf-8", "replace")


def _is_whole(path: Path) -> bool:
    """Whether ``path`` is a WAV file with sound in it, none of which is missing (a full disk cuts it)."""
    try:
        with wave.open(str(path), "rb") as file:
            length = file.getnframes() * file.getsampwidth() * file.getnchannels()
    except (OSError, EOFError, wave.Error):
        return False
    return 0 < length <= path.stat().st_size
