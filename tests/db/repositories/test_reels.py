"""Reels in the database: kept, replaced, withdrawn with whatever takes one of their calls, swept in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.models import table_of
from app.db.reel_models import ReelCallRow, ReelRow
from app.db.repositories.calls import CallRepository
from app.db.repositories.recordings import RecordingRepository
from app.db.repositories.reels import ReelRepository
from app.db.repositories.results import ResultRepository
from app.db.repositories.retention import RetentionRepository
from app.db.session import Database
from app.schemas.call import CallFilter
from app.schemas.reel import Cue, MomentFilter, Reel, ReelSource
from tests.db.values import at, completed, plain_analysis, stored

CUE = Cue("A", "m_1", "objection", "price", "Objection: price (0:30)", 0.0, 4.5, 28.9, 33.4, "speaker_1",
          "customer", 0.8, "Ask “why”.", ("tip",))  # fmt: skip


def reel(number: int = 1, seconds: float = 0, size: int = 1000) -> Reel:
    cues = (CUE, replace(CUE, call_id="B", subtype=None, speaker=None, unspoken=()))
    key = f"{number:031x}f"
    return Reel(f"{number:032x}", key, size, 9.25, ReelSource.NARRATED, "piper:x", cues, at(seconds))


def put(database: Database, *reels: Reel) -> None:
    with database.session() as session:
        for each in reels:
            ReelRepository(session).put(each, each.call_ids)


def get(database: Database, number: int = 1) -> Reel | None:
    with database.snapshot() as session:
        return ReelRepository(session).get(f"{number:032x}")


def due(database: Database, seconds: float = -1, size: int = 10**9, limit: int = 10) -> tuple[str, ...]:
    with database.snapshot() as session:
        return ReelRepository(session).due(at(seconds), size, limit)


@pytest.fixture(autouse=True)
def _calls(database: Database) -> None:
    for call_id in ("A", "B"):
        completed(database, call_id, 0)


def test_what_goes_in_comes_out(database: Database) -> None:
    assert get(database) is None
    put(database, reel())
    assert get(database) == reel()
    assert reel().unspoken == 1


def test_a_later_one_takes_the_place_of_an_earlier(database: Database) -> None:
    put(database, reel())
    later = replace(reel(seconds=5), audio_key="e" * 32)
    with database.session() as session:
        assert ReelRepository(session).put(later, later.call_ids) == reel().audio_key
    assert get(database) == later


WITHDRAWALS: dict[str, Callable[[Session], object]] = {
    "deleted": lambda session: CallRepository(session).delete("B"),
    "recording": lambda session: RetentionRepository(session).release_recordings(at(9), at(9), 9),
    "words": lambda session: RetentionRepository(session).delete_texts(at(9), at(9), 9),
    "analysed anew": lambda session: ResultRepository(session).add("B", plain_analysis("B", ()), at(9)),
}


@pytest.mark.parametrize("how", WITHDRAWALS)
def test_a_reel_is_withdrawn_with_any_of_its_calls(how: str, database: Database) -> None:
    put(database, reel())
    with database.session() as session:
        WITHDRAWALS[how](session)
    assert get(database) is None
    assert due(database) == (reel().audio_key,)
    with database.snapshot() as session:
        assert session.scalars(select(table_of(ReelRow).c.cues)).one() == []
        left = set(session.scalars(select(table_of(ReelCallRow).c.call_id)))
    assert left == ({"A"} if how == "deleted" else {"A", "B"})
    with database.session() as session:
        assert ReelRepository(session).remove(due(database)) == 1
    assert due(database) == ()


def test_a_withdrawn_one_may_be_made_again(database: Database) -> None:
    put(database, reel())
    with database.session() as session:
        WITHDRAWALS["analysed anew"](session)
    put(database, reel())
    assert get(database) == reel()


def test_old_ones_and_the_oldest_of_too_many_are_due(database: Database) -> None:
    put(database, *(reel(number, seconds=number, size=100) for number in (1, 2, 3, 4)))
    keys = [reel(number).audio_key for number in (1, 2, 3, 4)]
    assert due(database) == ()
    assert due(database, seconds=2.5) == tuple(keys[:2])
    assert due(database, size=400) == ()
    assert due(database, size=399) == tuple(keys[:1])
    assert due(database, size=200) == tuple(keys[:2])
    assert due(database, size=0, limit=3) == tuple(keys[:3])


def test_their_files_are_known_to_the_comparison_with_the_storage(database: Database) -> None:
    stored(database, "C", audio_key="0" * 32)
    put(database, reel(1), reel(2))
    with database.snapshot() as session:
        page = RecordingRepository(session).page("", 3)
        assert [(found.key, found.call_id) for found in page] == [
            ("0" * 32, "C"), (reel(1).audio_key, None), (reel(2).audio_key, None),
        ]  # fmt: skip
        assert RecordingRepository(session).known([reel(2).audio_key, "1" * 32]) == {reel(2).audio_key}


def test_moments_of_all_calls_the_surest_first(database: Database) -> None:
    completed(database, "C", 10, ("objection", "empathy"), agent_id="agent-2")
    completed(database, "D", 20, ("objection",), agent_id="agent-2", audio_key=None)

    def found(
        calls: CallFilter, wanted: MomentFilter, *, needs_recording: bool = False, limit: int = 9
    ) -> list[str]:
        with database.snapshot() as session:
            repository = ReelRepository(session)
            refs = repository.moments(calls, wanted, needs_recording=needs_recording, limit=limit)
        return [ref.call_id for ref in refs]

    agent = CallFilter(agent_id="agent-2")
    assert found(agent, MomentFilter()) == ["D", "C", "C"]
    assert found(agent, MomentFilter(types=("objection",))) == ["D", "C"]
    assert found(agent, MomentFilter(types=("objection",)), needs_recording=True) == ["C"]
    assert found(agent, MomentFilter(), limit=1) == ["D"]
    assert found(CallFilter(date_to=at(15)), MomentFilter(types=("empathy", "objection"))) == ["C", "C"]
    assert found(agent, MomentFilter(min_confidence=1.0)) == []
    assert found(agent, MomentFilter(subtypes=("trust",))) == []
    assert found(agent, MomentFilter(role="nobody")) == []
