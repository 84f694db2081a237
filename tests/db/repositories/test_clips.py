"""Clips in the database: as they were kept, in pages, by filter and by folder."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.exceptions import ValidationFailed
from app.db.repositories.calls import CallRepository
from app.db.repositories.clips import ClipRepository
from app.db.session import Database
from app.schemas.clip import ClipFilter, ClipFolder, Consent, ConsentState, KeptClip
from tests.db.clip_values import RECORDED, clip
from tests.db.values import at, stored


def keep(database: Database, *clips: KeptClip) -> None:
    with database.session() as session:
        for each in clips:
            ClipRepository(session).add(each)


def ids(database: Database, **filters: object) -> list[str]:
    with database.snapshot() as session:
        found, following = ClipRepository(session).page(ClipFilter(**filters), 200, None)  # type: ignore[arg-type]
    assert following is None
    return [each.id for each in found]


def read(database: Database, clip_id: str) -> KeptClip | None:
    with database.snapshot() as session:
        return ClipRepository(session).get(clip_id)


def test_a_clip_comes_back_as_it_was_kept_and_changed(database: Database) -> None:
    stored(database, "A")
    free = clip("A", "clip_2", moment_id=None, type=None, subtype=None, folder=None, excerpt=(), note="x")
    keep(database, clip("A", consent=RECORDED), free)
    assert read(database, "clip_1") == clip("A", consent=RECORDED)
    assert read(database, "clip_2") == free
    assert read(database, "clip_3") is None
    changed = replace(free, folder="Öl", title="b", note=None, consent=RECORDED)
    with database.session() as session:
        ClipRepository(session).replace(changed)
    assert read(database, "clip_2") == changed
    with database.session() as session:
        assert ClipRepository(session).of_call("A") == (clip("A", consent=RECORDED), changed)
        ClipRepository(session).remove("clip_1")
    assert ids(database) == ["clip_2"]


def test_clips_are_listed_newest_first_and_narrowed(database: Database) -> None:
    stored(database, "A", agent_id="x", team_id="t")
    stored(database, "B", agent_id="y", team_id=None, audio_key="b")
    keep(
        database,
        clip("A", "a", created_at=at(1), folder=None),
        clip("A", "b", created_at=at(3), type=None, consent=RECORDED),
        clip("B", "c", created_at=at(3), folder="Best"),
        clip("B", "d", created_at=at(2), type="empathy"),
    )
    assert ids(database) == ["c", "b", "d", "a"]
    assert ids(database, folder="Price") == ["b", "d"]
    assert ids(database, folder="") == ["a"]
    assert ids(database, type="objection") == ["c", "a"]
    assert ids(database, agent_id="x") == ["b", "a"]
    assert ids(database, team_id="t", consent=ConsentState.UNKNOWN) == ["a"]
    assert ids(database, call_id="B") == ["c", "d"]
    assert ids(database, consent=ConsentState.RECORDED) == ["b"]
    with database.snapshot() as session:
        clips = ClipRepository(session)
        assert clips.folders() == (ClipFolder(None, 1), ClipFolder("Best", 1), ClipFolder("Price", 2))
        first, cursor = clips.page(ClipFilter(), 3, None)
        rest, last = clips.page(ClipFilter(), 3, cursor)
        with pytest.raises(ValidationFailed, match="cursor"):
            clips.page(ClipFilter(), 3, "nonsense")
    assert ([each.id for each in first], [each.id for each in rest], last) == (["c", "b", "d"], ["a"], None)


def test_a_deleted_call_names_the_files_of_its_clips_and_takes_their_rows(database: Database) -> None:
    stored(database, "A")
    stored(database, "B", audio_key="b")
    keep(database, *(clip("A", key, audio_key=key) for key in "ab"), clip("B", "c", audio_key="c"))
    with database.session() as session:
        removed = CallRepository(session).delete("A")
    assert removed is not None
    assert sorted(removed.file_keys) == ["a", "audio/A", "b"]
    assert ids(database) == ["c"]


def test_only_clips_of_calls_that_lost_something_to_time_are_due(database: Database) -> None:
    stored(database, "A")
    keep(database, clip("A", "a"), clip("A", "b", consent=RECORDED), clip("A", "c", consent=Consent()))
    with database.session() as session:
        assert ClipRepository(session).take_due(9) == ()
