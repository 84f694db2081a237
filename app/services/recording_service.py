"""The recording of a call as it is stored, and what is cut out of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.core.exceptions import AudioDeleted, AudioMissing, StorageUnavailable
from app.schemas.audio import Span
from app.schemas.call import CallRecord
from app.services.audio_service import AudioService
from app.services.call_service import CallService
from app.services.exports.archive import suffix_of
from app.storage.base import Storage

HEAD_BYTES = 64
MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "webm": "audio/webm",
    "amr": "audio/amr",
    "au": "audio/basic",
    "aiff": "audio/aiff",
    "wma": "audio/x-ms-wma",
}
"""By what the bytes are; a recording that they do not tell is no type that a browser would open."""
UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class Recording:
    """A stored recording: its place, its size in bytes, its digest, and what it is by its first bytes."""

    call_id: str
    key: str
    size: int
    sha256: str
    suffix: str

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES.get(self.suffix, UNKNOWN_TYPE)


@dataclass(frozen=True)
class Clip:
    """An MP3 file, and the stretch of the recording that it is."""

    path: Path
    span: Span


class RecordingService:
    """Thread-safe."""

    def __init__(self, calls: CallService, storage: Storage, audio: AudioService) -> None:
        self._calls = calls
        self._storage = storage
        self._audio = audio

    def find(self, call_id: str) -> Recording:
        """Raises CallNotFound, AudioDeleted, AudioMissing and StorageUnavailable."""
        record = self._calls.record(call_id)
        key = key_of(record)
        head = b"".join(self._read(key, 0, HEAD_BYTES))
        return Recording(call_id, key, record.audio_bytes, record.audio_sha256, suffix_of(head))

    def read(self, recording: Recording, first: int, count: int) -> Iterator[bytes]:
        """``count`` bytes from the byte ``first`` on, piece by piece. Raises as ``find`` does."""
        return self._read(recording.key, first, count)

    @contextmanager
    def local(self, record: CallRecord) -> Iterator[Path]:
        """The recording of a call as a file, for as long as the context is open. Raises as ``find`` does."""
        key = key_of(record)
        self._refuse_missing(key)
        with self._storage.local_path(key) as path:
            yield path

    def cut(self, record: CallRecord, span: Span, folder: Path) -> Clip:
        """Cut a stretch out into an MP3 file in ``folder``. Raises as ``find`` does, and StageFailed and
        InsufficientStorage."""
        with self.local(record) as source:
            (cut,) = self._audio.cut(source, [span], folder, record.duration_s)
        target = folder / "clip.mp3"
        self._audio.encode(cut, target, "mp3")
        return Clip(target, span)

    def _read(self, key: str, first: int, count: int) -> Iterator[bytes]:
        try:
            return self._storage.read(key, first, count)
        except StorageUnavailable:
            self._refuse_missing(key)
            raise

    def _refuse_missing(self, key: str) -> None:
        if not self._storage.exists(key):
            raise AudioMissing("the recording of the call is missing from the storage")


def key_of(record: CallRecord) -> str:
    """Where the recording of a call lies. Raises AudioDeleted."""
    if record.audio_key is None:
        raise AudioDeleted(f"the recording of call {record.call_id} is no longer kept")
    return record.audio_key
