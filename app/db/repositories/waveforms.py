"""What a waveform is drawn from: the peaks of the recording, and who speaks when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.db.models import CallRow, ResultRow, SegmentRow, SpeakerRow, table_of
from app.db.repositories.result_records import metrics_of, speaker_of
from app.db.waveform_models import PeaksRow
from app.schemas.audio import Span
from app.schemas.metrics import NonTalk
from app.schemas.speaker import Speaker
from app.schemas.waveform import Peaks

_CALLS = table_of(CallRow)
_PEAKS = table_of(PeaksRow)
_RESULTS = table_of(ResultRow)
_SPEAKERS = table_of(SpeakerRow)
_SEGMENTS = table_of(SegmentRow)


@dataclass(frozen=True)
class Voices:
    """Who speaks when in a call's current result. ``speech``: the stretches of each speaker, in order."""

    duration_s: float
    speakers: tuple[Speaker, ...]
    speech: Mapping[str, Sequence[Span]]
    silences: tuple[NonTalk, ...]


class WaveformRepository:
    """All SQL about waveforms, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def peaks(self, call_id: str) -> Peaks | None:
        row = self._session.execute(select(_PEAKS).where(_PEAKS.c.call_id == call_id)).one_or_none()
        if row is None:
            return None
        size = len(row.levels) // row.channel_count
        channels = tuple(row.levels[size * at : size * (at + 1)] for at in range(row.channel_count))
        return Peaks(row.step_s, channels)

    def put(self, call_id: str, peaks: Peaks) -> None:
        """In place of those that there are; the caller holds the call."""
        self.drop(call_id)
        self._session.execute(
            insert(_PEAKS).values(
                call_id=call_id,
                step_s=peaks.step_s,
                channel_count=len(peaks.channels),
                levels=b"".join(peaks.channels),
            )
        )

    def drop(self, call_id: str) -> None:
        self._session.execute(delete(_PEAKS).where(_PEAKS.c.call_id == call_id))

    def voices(self, call_id: str) -> Voices | None:
        """None where there is no result. Without metrics, speech is where the segments are."""
        row = self._session.execute(
            select(*(_RESULTS.c[name] for name in ("id", "duration_s", "metrics")))
            .join(CallRow, CallRow.current_result_id == _RESULTS.c.id)
            .where(_CALLS.c.call_id == call_id)
        ).one_or_none()
        if row is None:
            return None
        speakers = self._session.execute(
            select(_SPEAKERS).where(_SPEAKERS.c.result_id == row.id).order_by(_SPEAKERS.c.idx)
        )
        found = tuple(speaker_of(speaker) for speaker in speakers)
        metrics = metrics_of(row)
        if metrics is None:
            return Voices(row.duration_s, found, self._segments(row.id), ())
        speech = {party.speaker: party.speech for party in metrics.parties}
        return Voices(row.duration_s, found, speech, metrics.non_talk)

    def _segments(self, result_id: int) -> dict[str, list[Span]]:
        rows = self._session.execute(
            select(_SEGMENTS.c.speaker, _SEGMENTS.c.start_s, _SEGMENTS.c.end_s)
            .where(_SEGMENTS.c.result_id == result_id)
            .order_by(_SEGMENTS.c.idx)
        )
        spans: dict[str, list[Span]] = {}
        for row in rows:
            spans.setdefault(row.speaker, []).append(Span(row.start_s, row.end_s))
        return spans
