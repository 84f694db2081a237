"""Recordings as calls refer to them: in the order of their keys, marked while they are missed."""

from __future__ import annotations

from app.db.repositories.calls import CallRepository
from app.db.repositories.recordings import RecordingRepository
from app.db.session import Database
from app.schemas.call import CallRecord
from app.schemas.retention import KeptRecording
from tests.db.values import at, stored

KEYS = [f"{number:032x}" for number in (0x3, 0x1F, 0xA0, 0xFF << 100)]


def _fill(database: Database) -> None:
    for number, key in enumerate(reversed(KEYS)):
        stored(database, f"C{number}", number, audio_key=key)


def _call(database: Database, call_id: str) -> CallRecord:
    with database.snapshot() as session:
        record = CallRepository(session).get(call_id)
    assert record is not None
    return record


def test_pages_are_in_the_order_of_bytes_and_go_on_after_any_key(database: Database) -> None:
    _fill(database)
    with database.snapshot() as session:
        recordings = RecordingRepository(session)
        assert [found.key for found in recordings.page("", 10)] == sorted(KEYS)
        first = recordings.page("", 3)
        assert [found.key for found in first] == sorted(KEYS)[:3]
        assert [found.key for found in recordings.page(first[-1].key, 3)] == sorted(KEYS)[3:]
        assert recordings.page("f" * 32, 3) == ()
        assert first[0] == KeptRecording(KEYS[0], "C3", is_missed=False)


def test_known_are_those_that_a_call_refers_to(database: Database) -> None:
    _fill(database)
    with database.snapshot() as session:
        assert RecordingRepository(session).known([*KEYS[:2], "0" * 32]) == set(KEYS[:2])
        assert RecordingRepository(session).known([]) == frozenset()


def test_a_mark_is_set_and_taken_away_while_the_call_has_that_recording(database: Database) -> None:
    record = stored(database, "A", audio_key=KEYS[0])
    recording = KeptRecording(KEYS[0], "A", is_missed=False)
    with database.session() as session:
        assert RecordingRepository(session).mark(recording, at(5))
    assert _call(database, "A").audio_missing_at == at(5)
    assert _call(database, "A").updated_at == record.updated_at
    with database.snapshot() as session:
        assert RecordingRepository(session).page("", 1) == (KeptRecording(KEYS[0], "A", is_missed=True),)
    with database.session() as session:
        recordings = RecordingRepository(session)
        assert recordings.mark(recording, None)
        assert not recordings.mark(KeptRecording(KEYS[1], "A", is_missed=False), at(6))
        assert not recordings.mark(KeptRecording(KEYS[0], "NOWHERE", is_missed=False), at(6))
    assert _call(database, "A").audio_missing_at is None
