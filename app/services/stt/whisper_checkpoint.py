"""The openai-whisper checkpoint that WHISPER_MODEL_SIZE names: where it is, how it gets there, what it is."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from app.core.exceptions import ConfigurationError, StageFailed
from app.core.reach import is_reachable
from app.schemas.engine import Availability
from app.services.stt.whisper_dialect import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.config import Settings

log = logging.getLogger(__name__)

SIZES = {
    "tiny": "tiny.pt", "tiny.en": "tiny.en.pt", "base": "base.pt", "base.en": "base.en.pt",
    "small": "small.pt", "small.en": "small.en.pt", "medium": "medium.pt", "medium.en": "medium.en.pt",
    "large-v1": "large-v1.pt", "large-v2": "large-v2.pt", "large-v3": "large-v3.pt", "large": "large-v3.pt",
    "large-v3-turbo": "large-v3-turbo.pt", "turbo": "large-v3-turbo.pt",
}  # fmt: skip
"""File of each size. Written down here, because to ask the library is to import torch."""

HOW_TO_FETCH = (
    "put the checkpoint into WHISPER_MODEL_DIR: python -m app fetch-models on a machine with internet access"
)
STALLED_AFTER_S = 60.0


class WhisperCheckpoint:
    """Weights by size, kept in ``WHISPER_MODEL_DIR``, or by path. Raises ConfigurationError for neither.

    ``size`` is None where a path is given. ``label`` of the methods is the engine's, for messages.
    """

    download_host: ClassVar[tuple[str, int]] = ("openaipublic.azureedge.net", 443)
    connect_timeout_s: ClassVar[float] = 2.0

    def __init__(self, settings: Settings) -> None:
        choice = settings.whisper_model_size
        self.size = choice if choice in SIZES else None
        if self.size is None and not _is_path(choice):
            raise ConfigurationError(
                f"WHISPER_MODEL_SIZE: {choice!r} is neither the path of a checkpoint nor a size such as "
                "tiny, base, base.en, small, medium, large-v3, turbo"
            )
        self.directory = settings.whisper_model_dir.expanduser()
        self.path = self.directory / SIZES[choice] if self.size else Path(choice).expanduser()

    @property
    def name(self) -> str:
        return self.size or self.path.name.removesuffix(".pt")

    @property
    def languages(self) -> frozenset[str]:
        return frozenset({"en"}) if self.name.endswith(".en") else LANGUAGES

    def availability(self) -> Availability:
        if self.path.is_file():
            return Availability.ready()
        if self.size is None:
            return Availability.unavailable(
                "there is no checkpoint at the path in WHISPER_MODEL_SIZE",
                "correct WHISPER_MODEL_SIZE or put the file there",
            )
        if is_reachable(*self.download_host, self.connect_timeout_s):
            return Availability.fetchable("its weights are not on this machine yet", HOW_TO_FETCH)
        return Availability.unavailable(
            "its weights are not on this machine and the host that serves them is out of reach", HOW_TO_FETCH
        )

    def fetch(self, label: str) -> None:
        """Download a size, verified by its SHA-256, into ``WHISPER_MODEL_DIR``; shows its progress.

        Processes that fetch at the same time wait for the first. Raises StageFailed.
        """
        if self.size is None or self.path.is_file():
            return
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with locked(self.directory / f".{self.path.name}.lock"):
                if not self.path.is_file():
                    self._download(self.size, label)
        except Exception as error:
            raise StageFailed("stt", f"{label} could not be downloaded; {HOW_TO_FETCH}") from error

    def digest(self) -> str:
        """SHA-256 of the file in hexadecimal. Raises OSError."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def published_heads(self, digest: str, label: str) -> bytes | None:
        """The attention heads that follow the time of words, as openai-whisper writes them down.

        None for weights of one's own. Raises StageFailed where the file of a size is not the published one.
        """
        import whisper

        sizes = {url.split("/")[-2]: size for size, url in whisper._MODELS.items()}
        if self.size is not None and whisper._MODELS[self.size].split("/")[-2] != digest:
            raise StageFailed("stt", f"the file of {label} is damaged: delete it, fetch it again")
        heads: bytes | None = whisper._ALIGNMENT_HEADS[sizes[digest]] if digest in sizes else None
        return heads

    def _download(self, size: str, label: str) -> None:
        import whisper

        scratch = self.directory / f".{self.path.name}.part"
        shutil.rmtree(scratch, ignore_errors=True)
        timeout_s = socket.getdefaulttimeout()
        socket.setdefaulttimeout(STALLED_AFTER_S)
        log.info("stt.fetch_started", extra={"engine": label})
        try:
            whisper._download(whisper._MODELS[size], str(scratch), False)
            (scratch / self.path.name).replace(self.path)
        finally:
            socket.setdefaulttimeout(timeout_s)
            shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at ``path``; waits for whoever holds it, in this process or another."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_path(choice: str) -> bool:
    return os.sep in choice or choice.endswith(".pt") or Path(choice).exists()
