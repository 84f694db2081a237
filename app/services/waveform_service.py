"""The waveform of a call, each party by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from app.core.exceptions import CallNotReady
from app.db.repositories.calls import CallRepository
from app.db.repositories.waveforms import Voices, WaveformRepository
from app.db.session import Database
from app.schemas.audio import Span
from app.schemas.call import CallRecord
from app.schemas.guards import found_call
from app.schemas.speaker import Speaker
from app.schemas.waveform import FULL_SCALE, PartyWaveform, Peaks, Waveform
from app.services.audio_service import AudioService
from app.services.recording_service import RecordingService
from app.storage.scratch import Scratch

_SHARES = tuple(round(level / FULL_SCALE, 3) for level in range(FULL_SCALE + 1))


@dataclass(frozen=True)
class _Found:
    record: CallRecord
    voices: Voices
    peaks: Peaks | None


class WaveformService:
    """Thread-safe. Recordings are decoded one at a time, by a guarded process of their own."""

    def __init__(
        self, database: Database, recordings: RecordingService, audio: AudioService, scratch: Scratch
    ) -> None:
        self._database = database
        self._recordings = recordings
        self._audio = audio
        self._scratch = scratch
        self._decoding = threading.Lock()

    def read(self, call_id: str) -> Waveform:
        """Where a call has no peaks yet, as those from before there were any, they are made and kept.

        Raises CallNotFound, CallNotReady where there is no result; where peaks are to be made AudioDeleted,
        AudioMissing, StorageUnavailable, InsufficientStorage and AudioRejected.
        """
        found = self._find(call_id)
        peaks = found.peaks or self._made(call_id)
        return waveform_of(call_id, found.voices, peaks)

    def _find(self, call_id: str) -> _Found:
        with self._database.snapshot() as session:
            record = found_call(CallRepository(session).get(call_id), call_id)
            waveforms = WaveformRepository(session)
            voices = waveforms.voices(call_id)
            if voices is None:
                raise CallNotReady(f"call {call_id} is {record.status}")
            return _Found(record, voices, waveforms.peaks(call_id))

    def _made(self, call_id: str) -> Peaks:
        with self._decoding:
            found = self._find(call_id)
            if found.peaks is not None:  # by whoever was here before
                return found.peaks
            with self._recordings.local(found.record) as recording, self._scratch.folder() as folder:
                peaks = self._audio.peaks(self._audio.decode(recording, folder))
            with self._database.session() as session:
                record = CallRepository(session).lock(call_id)
                # Deleted meanwhile, or begun anew with another recording: these are nobody's peaks.
                if record is not None and record.audio_sha256 == found.record.audio_sha256:
                    WaveformRepository(session).put(call_id, peaks)
            return peaks


def waveform_of(call_id: str, voices: Voices, peaks: Peaks) -> Waveform:
    """Who has a channel alone is shown all of it; others the recording, where they speak."""
    channels = [speaker.channel for speaker in voices.speakers]
    parties = tuple(
        PartyWaveform(
            speaker=speaker.id,
            role=speaker.role,
            name=speaker.name,
            channel=speaker.channel,
            peaks=_shares(
                _signal(peaks, speaker),
                peaks.step_s,
                None
                if speaker.channel is not None and channels.count(speaker.channel) == 1
                else voices.speech.get(speaker.id, ()),
            ),
        )
        for speaker in voices.speakers
    )
    return Waveform(call_id, voices.duration_s, peaks.step_s, parties, voices.silences)


def _signal(peaks: Peaks, speaker: Speaker) -> bytes:
    if speaker.channel is not None and speaker.channel < len(peaks.channels):
        return peaks.channels[speaker.channel]
    return bytes(map(max, *peaks.channels)) if len(peaks.channels) > 1 else peaks.channels[0]


def _shares(levels: bytes, step_s: float, speech: Iterable[Span] | None) -> tuple[float, ...]:
    """``levels`` from 0 to 1, outside of ``speech`` (None: everything is) 0."""
    if speech is None:
        return tuple(_SHARES[level] for level in levels)
    shares = [0.0] * len(levels)
    for span in speech:
        first, last = int(span.start_s / step_s), min(len(levels), int(span.end_s / step_s) + 1)
        shares[first:last] = [_SHARES[level] for level in levels[first:last]]
    return tuple(shares)
