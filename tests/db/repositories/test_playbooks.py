"""Stored playbooks on both databases: one draft a name, published revisions that never change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.db.repositories.playbooks import PlaybookRepository
from app.db.session import Database
from app.schemas.playbook import PlaybookRevision, RevisionFacts, RevisionState
from tests.db.values import at


def draft(revision: str = "r1", name: str = "mine", yaml: str = "name: mine\n# größe 😀") -> PlaybookRevision:
    return PlaybookRevision(RevisionFacts(name, revision, "1.0", 3, ("en", "es"), RevisionState.DRAFT), yaml)


def put(database: Database, revision: PlaybookRevision, seconds: float = 0) -> None:
    with database.session() as session:
        playbooks = PlaybookRepository(session)
        if not playbooks.lock(revision.facts.name):
            playbooks.add(revision.facts.name, at(seconds))
        playbooks.put_draft(revision, at(seconds))


def publish(database: Database, revision: PlaybookRevision, seconds: float = 0) -> None:
    put(database, revision, seconds)
    with database.session() as session:
        playbooks = PlaybookRepository(session)
        playbooks.publish_draft(revision.facts.name, at(seconds))
        playbooks.make_current(revision.facts.name, revision.facts.revision)


def test_a_draft_is_read_back_as_it_was_written(database: Database) -> None:
    put(database, draft(), 1)
    with database.snapshot() as session:
        found = PlaybookRepository(session).draft("mine")
    facts = replace(draft().facts, created_at=at(1), updated_at=at(1))
    assert found == PlaybookRevision(facts, draft().yaml)


def test_a_name_has_one_draft_which_the_next_replaces(database: Database) -> None:
    put(database, draft("r1"), 1)
    put(database, draft("r2", yaml="name: mine"), 2)
    with database.snapshot() as session:
        playbooks = PlaybookRepository(session)
        found = playbooks.draft("mine")
        assert found is not None
        assert (found.facts.revision, found.yaml) == ("r2", "name: mine")
        assert (found.facts.created_at, found.facts.updated_at) == (at(1), at(2))
        assert playbooks.drafts() == {"mine": found.facts}
        assert playbooks.current() == {}
        assert playbooks.current_revision("mine") is None


def test_the_database_itself_refuses_a_second_draft(database: Database) -> None:
    put(database, draft())
    values = "'mine', 'r9', '1', 1, '[]', 'draft', '', :now, :now"
    columns = "name, revision, version, rules, languages, state, yaml, created_at, updated_at"
    with pytest.raises(IntegrityError), database.session() as session:
        session.execute(text(f"INSERT INTO playbook_revisions ({columns}) VALUES ({values})"), {"now": at(0)})


@pytest.mark.parametrize("change", ["yaml = 'other'", "state = 'draft'", "revision = 'r2'"])
def test_the_database_itself_keeps_a_published_revision(database: Database, change: str) -> None:
    publish(database, draft())
    with pytest.raises(IntegrityError, match="never changes"), database.session() as session:
        session.execute(text(f"UPDATE playbook_revisions SET {change}"))
    with database.snapshot() as session:
        found = PlaybookRepository(session).published("mine", "r1")
    assert found is not None
    assert (found.yaml, found.facts.state) == (draft().yaml, RevisionState.PUBLISHED)


def test_revisions_are_the_draft_and_then_the_newest_first(database: Database) -> None:
    for seconds, revision in enumerate(("r1", "r2")):
        publish(database, draft(revision), seconds)
    put(database, draft("r3"), 3)
    publish(database, draft("x1", name="other"), 4)
    with database.snapshot() as session:
        playbooks = PlaybookRepository(session)
        assert [facts.revision for facts in playbooks.revisions("mine")] == ["r3", "r2", "r1"]
        assert {name: facts.revision for name, facts in playbooks.current().items()} == {
            "mine": "r2",
            "other": "x1",
        }
        assert playbooks.current_revision("mine") == "r2"
        assert playbooks.count() == 2


def test_dropping_a_draft_leaves_what_was_published(database: Database) -> None:
    publish(database, draft("r1"))
    put(database, draft("r2"), 1)
    put(database, draft("x1", name="other"), 1)
    with database.session() as session:
        playbooks = PlaybookRepository(session)
        assert [playbooks.drop_draft(name) for name in ("mine", "other", "nobody")] == [True, True, False]
        assert [playbooks.drop_draft(name) for name in ("mine", "other")] == [False, False]
        assert [facts.revision for facts in playbooks.revisions("mine")] == ["r1"]
        assert not playbooks.lock("other")  # it was never published: nothing of it stays


def test_adding_a_name_that_is_there_changes_nothing(database: Database) -> None:
    publish(database, draft("r1"))
    with database.session() as session:
        PlaybookRepository(session).add("mine", at(9))
    with database.snapshot() as session:
        assert PlaybookRepository(session).current_revision("mine") == "r1"
