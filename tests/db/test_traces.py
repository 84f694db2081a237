"""What SQLite still holds of deleted rows goes, from its log and from unused corners of its pages."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from app.db import traces
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import ResultRepository
from app.db.repositories.retention import RetentionRepository
from app.db.session import Database
from app.db.traces import REWRITE_PAUSE_S, Traces
from app.schemas.analysis import AnalysedSegment
from app.schemas.transcript import Segment, Word
from tests.db.databases import opened, postgres_database, sqlite_database
from tests.db.values import analysis, at, stored


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def _log_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*-wal"))


def _files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.db*")))


def _store(database: Database, number: int, rng: random.Random) -> str:
    """A call of up to 40 segments whose every word names it."""
    call_id = f"CALL-{number}"
    parts = tuple(
        AnalysedSegment(_segment(index, f"word{number:04}", rng), None, (), False, None)
        for index in range(rng.randint(1, 40))
    )
    stored(database, call_id, number, metadata={"note": f"word{number:04}"})
    with database.session() as session:
        said = replace(analysis(call_id), segments=parts, call_moments=())
        ResultRepository(session).add(call_id, said, at(number))
    return call_id


def _segment(index: int, word: str, rng: random.Random) -> Segment:
    words = tuple(
        Word(word + "y" * rng.randint(0, 12), index + at_word / 50, index + (at_word + 1) / 50)
        for at_word in range(rng.randint(1, 40))
    )
    return Segment(index, "speaker_0", words)


def test_no_word_of_a_hundred_deleted_calls_is_in_any_file(tmp_path: Path) -> None:
    # With this one, words of two calls stay in corners of pages where nobody cleans them.
    rng = random.Random(3)
    with sqlite_database(tmp_path) as database:
        found = Traces(database)
        kept, gone = [], []
        for number in range(200):
            kept.append((_store(database, number, rng), number))
            if rng.random() < 0.6:
                call_id, of = kept.pop(rng.randrange(len(kept)))
                gone.append(of)
                with database.session() as session:
                    CallRepository(session).delete(call_id)
        found.left()
        assert any(f"word{number:04}".encode() in _files(tmp_path) for number in gone)
        assert found.remove()
        left = _files(tmp_path)
        assert [number for number in gone if f"word{number:04}".encode() in left] == []
        assert all(f"word{number:04}".encode() in left for _, number in kept)
        assert len(gone) > 100


def test_the_log_is_emptied_once_nobody_reads_what_it_holds(tmp_path: Path) -> None:
    with sqlite_database(tmp_path) as database:
        found = Traces(database)
        assert found.remove()
        assert _log_bytes(tmp_path) == 0
        call_id = _store(database, 1, random.Random(1))
        with database.snapshot() as reader:
            CallRepository(reader).get(call_id)
            with database.session() as session:
                CallRepository(session).delete(call_id)
            found.left()
            assert not found.remove()
            assert b"word0001" in _files(tmp_path)
        assert found.remove()
        assert b"word0001" not in _files(tmp_path)
        assert _log_bytes(tmp_path) == 0


def test_a_file_is_written_anew_once_in_a_while_and_only_after_deletions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, written = Clock(), []
    monkeypatch.setattr(traces.log, "info", lambda event, **_: written.append(event))
    with sqlite_database(tmp_path) as database:
        found = Traces(database, clock)
        assert found.remove()
        assert written == []
        found.left()
        assert found.remove()
        assert written == ["database.rewritten"]
        found.left()
        assert not found.remove()
        clock.now_s = REWRITE_PAUSE_S
        assert found.remove()
        assert found.remove()
        assert written == ["database.rewritten"] * 2
        monkeypatch.setattr(traces, "MOST_REWRITTEN_BYTES", 1)
        clock.now_s *= 2
        found.left()
        assert found.remove()
        assert written[2:] == ["database.not_rewritten"]


def test_a_writer_in_another_process_is_waited_for_in_vain_and_asked_again(tmp_path: Path) -> None:
    with sqlite_database(tmp_path) as database, opened(str(database.engine.url)) as other:
        found = Traces(database)
        found.left()
        stored(database, "A")
        with other.session() as session:
            assert RetentionRepository(session).hold("A", held=True)
            assert not found.remove()
        assert found.remove()


def test_databases_without_a_file_have_none_to_clean(tmp_path: Path) -> None:
    with opened("sqlite://") as database:
        assert Traces(database).remove()
    with postgres_database() as database:
        assert Traces(database).remove()
