"""Audio in and out: checks uploads, decodes them to samples, and encodes what the service says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from app.core.config import Settings
from app.schemas.audio import Audio, Span
from app.schemas.waveform import Peaks
from app.services.audio.clips import ClipCutter
from app.services.audio.decoder import DecodeLimits, Decoder
from app.services.audio.encoder import Encoder, Media
from app.services.audio.ffmpeg import Ffmpeg, find_ffmpeg
from app.services.audio.peaks import peaks_of
from app.services.audio.sniff import HEAD_BYTES, check_media
from app.services.audio.tape import Tape


class AudioService:
    """One ffmpeg for everything. Thread-safe; raises ConfigurationError when there is no ffmpeg."""

    head_bytes = HEAD_BYTES
    """How much of the start of an upload ``check`` wants to see."""

    def __init__(self, settings: Settings) -> None:
        self._ffmpeg = Ffmpeg(find_ffmpeg(settings.ffmpeg_path))
        limits = DecodeLimits.of(settings.max_audio_s, settings.decode_timeout_s, settings.decode_memory_mb)
        self._decoder = Decoder(self._ffmpeg, limits)
        self._encoder = Encoder(self._ffmpeg, limits)
        self._cutter = ClipCutter(self._ffmpeg, limits)

    def ffmpeg_version(self) -> str:
        """Version of the ffmpeg in use; raises ConfigurationError when it does not run."""
        return self._ffmpeg.version()

    def check(self, head: bytes, size: int) -> None:
        """Refuse by its first 4 KB what is no recording: EmptyAudio, UnsupportedMedia."""
        check_media(head, size)

    def decode(self, source: Path, scratch: Path, stopped: Callable[[], bool] = lambda: False) -> Audio:
        """Decode an upload to 16 kHz PCM in ``scratch``, an existing folder private to this recording.

        Two channels are kept apart, more are mixed to one. Ends early when ``stopped`` says so.
        Raises UndecodableAudio, UnsupportedRate, AudioTooLong or InsufficientStorage, and leaves nothing
        behind then.
        """
        return self._decoder.decode(source, scratch, stopped)

    def cut(
        self, source: Path, spans: Sequence[Span], folder: Path, heard_s: float | None
    ) -> tuple[Path, ...]:
        """Cut ``spans`` (seconds of the stored recording ``source``) into mono WAV files in ``folder``.

        Of exactly their length, faded over 20 ms at the edges. ``heard_s``: how much was decoded of the
        recording when it came in, None where that is not known; then it is decoded anew up to the end of the
        last span. Raises StageFailed or InsufficientStorage.
        """
        return self._cutter.cut(source, spans, folder, heard_s)

    def peaks(self, audio: Audio) -> Peaks:
        """What a waveform of decoded audio is drawn from, by channel as recorded."""
        return peaks_of(audio)

    def encode(self, source: Path, target: Path, media: Media) -> None:
        """Write ``source`` to ``target`` as MP3 or WAV. Raises StageFailed or InsufficientStorage."""
        self._encoder.encode(source, target, media)

    def tape(self, folder: Path) -> Tape:
        """An empty tape in ``folder``, onto which sounds are put one after the other."""
        return Tape(self._encoder, folder)

    def duration_s(self, path: Path) -> float:
        """Length of an audio file in seconds. Raises StageFailed when it holds no audio."""
        return self._encoder.duration_s(path)
