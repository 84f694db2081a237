"""Peaks in and out of the database, for as long as their call is there; and who speaks when."""

from __future__ import annotations

from app.db.repositories.calls import CallRepository
from app.db.repositories.claims import ClaimRepository
from app.db.repositories.results import ResultRepository
from app.db.repositories.retention import RetentionRepository
from app.db.repositories.waveforms import WaveformRepository
from app.db.session import Database
from app.schemas.audio import Span
from app.schemas.call import Claim
from app.schemas.waveform import Peaks
from bench.stored_calls import TenMinuteCalls
from tests.db.values import FAILURE, analysis, at, completed, new_call, stored, taken

PEAKS = Peaks(0.02, (b"\x00\xff\x10", b"\x01\x02\x03"))


def _peaks(database: Database, call_id: str = "A") -> Peaks | None:
    with database.snapshot() as session:
        return WaveformRepository(session).peaks(call_id)


def _keep(database: Database, claim: Claim, peaks: Peaks = PEAKS) -> bool:
    with database.session() as session:
        return ClaimRepository(session).keep_peaks(claim, peaks, at(1))


def test_peaks_come_back_as_they_were_and_the_last_ones_count(database: Database) -> None:
    stored(database, "A")
    assert _peaks(database) is None
    claim = taken(database, "A")
    for peaks in (PEAKS, Peaks(1 / 3, (b"",)), Peaks(0.5, (bytes(range(256)),))):
        assert _keep(database, claim, peaks)
        assert _peaks(database) == peaks


def test_who_lost_the_call_keeps_nothing(database: Database) -> None:
    stored(database, "A")
    claim = taken(database, "A")
    taken(database, "A", owner="another")
    assert not _keep(database, claim)
    assert _peaks(database) is None


def test_peaks_outlive_words_and_recording_but_not_the_call(database: Database) -> None:
    completed(database, "A", 0)
    with database.session() as session:
        WaveformRepository(session).put("A", PEAKS)
        retention = RetentionRepository(session)
        assert retention.delete_texts(at(99), at(99), 9) == ("A",)
        assert retention.release_recordings(at(99), at(99), 9)
    assert _peaks(database) == PEAKS
    with database.session() as session:
        CallRepository(session).delete("A")
    assert _peaks(database) is None


def test_another_recording_begins_without_peaks(database: Database) -> None:
    stored(database, "A")
    claim = taken(database, "A")
    assert _keep(database, claim)
    with database.session() as session:
        ClaimRepository(session).fail(claim, FAILURE, at(1))
    with database.session() as session:
        assert CallRepository(session).restart(new_call("A", fingerprint="0" * 64), at(2))
    assert _peaks(database) is None


def test_speech_is_measured_and_else_where_the_segments_are(database: Database) -> None:
    stored(database, "A")
    with database.snapshot() as session:
        assert WaveformRepository(session).voices("A") is None
    with database.session() as session:
        ResultRepository(session).add("A", analysis("A"), at(1))
        voices = WaveformRepository(session).voices("A")
    assert voices is not None
    assert voices.speakers == analysis("A").speakers
    spans = [Span(part.segment.start_s, part.segment.end_s) for part in analysis("A").segments]
    assert voices.speech == {"speaker_0": [spans[0], spans[2]], "speaker_1": [spans[1]]}
    made = TenMinuteCalls().make(1)
    assert made.metrics is not None
    with database.session() as session:
        ResultRepository(session).add("A", made, at(2))
        voices = WaveformRepository(session).voices("A")
    assert voices is not None
    assert voices.speech == {party.speaker: party.speech for party in made.metrics.parties}
    assert voices.silences == made.metrics.non_talk
