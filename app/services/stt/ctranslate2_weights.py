"""The folder that CTranslate2 reads for the setting WHISPER_MODEL_SIZE: given, or converted on first use."""

from __future__ import annotations

import errno
import logging
from typing import TYPE_CHECKING

from app.core.exceptions import AppError, StageFailed
from app.core.registry import install_hint, missing_module
from app.schemas.engine import Availability
from app.services.stt.ctranslate2_conversion import convert
from app.services.stt.ctranslate2_folder import is_intact, is_whole, make_once
from app.services.stt.whisper_checkpoint import WhisperCheckpoint

if TYPE_CHECKING:
    from pathlib import Path

    from app.core.config import Settings

log = logging.getLogger(__name__)

HOW_TO_NAME = "name a folder that CTranslate2's converter wrote, with its tokenizer.json, or a checkpoint"
NEEDED = ("model.bin", "config.json", "tokenizer.json")
"""Files without which faster-whisper cannot open a folder, or asks the network for them."""


class CTranslate2Weights:
    """Weights of ``WHISPER_MODEL_SIZE`` in CTranslate2's form.

    A folder is used as it is. A checkpoint is converted to a folder under ``WHISPER_MODEL_DIR/ctranslate2``,
    named by the file and its SHA-256, so that a new checkpoint is never taken for the old one.
    """

    def __init__(self, settings: Settings) -> None:
        self.checkpoint = WhisperCheckpoint(settings)
        self._is_folder = self.checkpoint.size is None and self.checkpoint.path.is_dir()

    def availability(self) -> Availability:
        if self._is_folder:
            return _folder_availability(self.checkpoint.path)
        if self._earlier() is not None:
            return Availability.ready()
        missing = missing_module("whisper", "torch")
        if missing is not None:
            return Availability.not_installed(
                f"{missing} is not installed, with which the weights are converted once",
                install_hint("faster_whisper"),
            )
        return self.checkpoint.availability()

    def fetch(self, label: str) -> None:
        """Download the checkpoint and convert it. Raises StageFailed."""
        if self._is_folder or self._earlier() is not None:
            return
        self.checkpoint.fetch(label)
        if self.checkpoint.path.is_file():
            self.folder(label)

    def folder(self, label: str) -> Path:
        """The intact folder, converted now where it is not there yet. Raises StageFailed."""
        if self._is_folder:
            _check(self.checkpoint.path)
            return self.checkpoint.path
        if not self.checkpoint.path.is_file():
            earlier = self._earlier()
            if earlier is None or not is_intact(earlier):
                raise StageFailed("stt", f"the weights of {label} are damaged or gone: fetch them again")
            return earlier
        try:
            digest = self.checkpoint.digest()
            folder = self._converted / f"{self.checkpoint.path.stem}-{digest[:12]}"
            make_once(folder, lambda scratch: self._convert(scratch, digest, label))
        except AppError:
            raise
        except OSError as error:
            raise StageFailed("stt", f"{label} could not be converted: {_what_to_do(error)}") from error
        except Exception as error:
            raise StageFailed(
                "stt", f"{label} could not be converted: its file is no checkpoint of openai-whisper"
            ) from error
        return folder

    @property
    def _converted(self) -> Path:
        return self.checkpoint.directory / "ctranslate2"

    def _earlier(self) -> Path | None:
        """What an earlier run converted a size to: enough without the checkpoint itself."""
        if self.checkpoint.size is None:
            return None
        folders = self._converted.glob(f"{self.checkpoint.path.stem}-{'[0-9a-f]' * 12}")
        return next(filter(is_whole, sorted(folders)), None)

    def _convert(self, scratch: Path, digest: str, label: str) -> None:
        heads = self.checkpoint.published_heads(digest, label)
        log.info("stt.conversion_started", extra={"engine": label})
        convert(self.checkpoint.path, scratch, heads)
        log.info("stt.conversion_done", extra={"engine": label})


def _missing_file(folder: Path) -> str | None:
    return next((name for name in NEEDED if not (folder / name).is_file()), None)


def _folder_availability(folder: Path) -> Availability:
    missing = _missing_file(folder)
    if missing is None:
        return Availability.ready()
    return Availability.unavailable(f"the folder in WHISPER_MODEL_SIZE holds no {missing}", HOW_TO_NAME)


def _check(folder: Path) -> None:
    missing = _missing_file(folder)
    if missing is not None:
        raise StageFailed("stt", f"the folder in WHISPER_MODEL_SIZE holds no {missing}; {HOW_TO_NAME}")


def _what_to_do(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk of WHISPER_MODEL_DIR is full; free as much as the checkpoint takes"
    return f"WHISPER_MODEL_DIR must be a folder that can be written ({error.strerror})"
