"""Words of deleted calls leave the index of SQLite's full-text search, down to the bytes of the file."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest

from app.db import traces
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import ResultRepository
from app.db.repositories.retention import RetentionRepository
from app.db.session import Database
from app.db.traces import Traces
from app.schemas.analysis import AnalysedSegment
from app.schemas.transcript import Segment, Word
from tests.db.databases import sqlite_database
from tests.db.values import analysis, at, completed, stored


def _store(database: Database, number: int, words: list[str]) -> None:
    spoken = tuple(Word(word, float(place), place + 0.5) for place, word in enumerate(words))
    part = AnalysedSegment(Segment(0, "speaker_0", spoken), None, (), False, None)
    completed(database, f"CALL-{number}", number, metadata={})
    with database.session() as session:
        said = analysis(f"CALL-{number}", segments=(part,), call_moments=())
        ResultRepository(session).add(f"CALL-{number}", said, at(number))


def _left(folder: Path, words: list[str]) -> list[str]:
    """Those of ``words`` that are in a file, but for their beginnings: an index leaves out what the word
    before begins with too."""
    files = b"".join(path.read_bytes() for path in sorted(folder.glob("*.db*")))
    return [word for word in words if word[4:].encode() in files]


def _vocabulary(rng: random.Random, size: int) -> list[str]:
    return ["".join(rng.choices(string.ascii_lowercase, k=14)) for _ in range(size)]


@pytest.mark.parametrize("pages", [1, 500])
def test_words_of_deleted_calls_leave_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    monkeypatch.setattr(traces, "MERGED_PAGES", pages)
    # Without the file written anew: the index has to forget by itself, also in a large one.
    monkeypatch.setattr(traces, "MOST_REWRITTEN_BYTES", 0)
    rng = random.Random(7)
    vocabularies = [_vocabulary(rng, 200) for _ in range(12)]
    with sqlite_database(tmp_path) as database:
        for number, words in enumerate(vocabularies):
            _store(database, number, words)
        gone = [word for words in vocabularies[::2] for word in words]
        with database.session() as session:
            for number in range(0, 12, 2):
                CallRepository(session).delete(f"CALL-{number}")
        found = Traces(database)
        assert _left(tmp_path, gone)
        assert found.remove()
        assert _left(tmp_path, gone) == []
        kept = [word for words in vocabularies[1::2] for word in words]
        assert _left(tmp_path, kept) == kept


def test_words_whose_time_is_over_leave_the_index(tmp_path: Path) -> None:
    words = _vocabulary(random.Random(8), 50)
    with sqlite_database(tmp_path) as database:
        _store(database, 1, words)
        with database.session() as session:
            assert RetentionRepository(session).delete_texts(at(1000), at(1000), 10) == ("CALL-1",)
        found = Traces(database)
        found.left()
        assert found.remove()
        assert _left(tmp_path, words) == []


def test_nothing_is_merged_again_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = iter(range(0, 100_000, 10))
    merged = list[str]()
    with sqlite_database(tmp_path) as database:
        found = Traces(database, lambda: float(next(now_s)))
        done = found._changes
        monkeypatch.setattr(found, "_changes", lambda *asked: merged.append(asked[0]) or done(*asked))
        assert found.remove()
        first = len(merged)
        assert first >= 1
        found.left()
        found.remove()
        assert len(merged) == first
        for _ in range(100):
            found.remove()
        assert len(merged) > first


def test_a_file_without_calls_has_nothing_to_merge(tmp_path: Path) -> None:
    with sqlite_database(tmp_path) as database:
        assert Traces(database).remove()
        stored(database, "A")
        assert Traces(database).remove()
