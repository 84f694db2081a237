"""Migrations: up, down, by several processes at once, and equal to the models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import app.db.clip_models
import app.db.comment_models
import app.db.figure_models
import app.db.migrations
import app.db.playbook_models
import app.db.reel_models
import app.db.review_models
import app.db.search_models
import app.db.waveform_models
import app.db.webhook_models
import app.db.work_models
from app.core.exceptions import ConfigurationError
from app.db.migrate import HEAD, check_current, downgrade, is_current, migrate, prepare
from app.db.models import Base
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.speaker import NameSpeaker, Speaker
from tests.db.databases import opened, postgres_database
from tests.db.processes import migrate_together, run_together
from tests.db.values import analysis, at, completed, stored


def _tables(database: Database) -> set[str]:
    with database.snapshot() as session:
        names = inspect(session.connection()).get_table_names()
        return {name for name in names if _is_in_models(name, "table")}


def _is_in_models(name: str | None, kind: str) -> bool:
    """Not what finds words: the tables of SQLite's full-text search, PostgreSQL's index of an expression."""
    if kind == "table":
        return not str(name).startswith("search_index")
    return name != "ix_search_texts_words"


def test_the_constant_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(app.db.migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_migrations_make_what_the_models_say(empty_database: Database) -> None:
    migrate(empty_database)
    with empty_database.exclusive() as connection:
        options = {"compare_type": True, "include_name": lambda name, kind, _: _is_in_models(name, kind)}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
    assert _tables(empty_database) == {*Base.metadata.tables, "alembic_version"}


def test_foreign_keys_are_as_the_models_say(empty_database: Database) -> None:
    """Alembic's comparison passes over what happens on deletion."""
    migrate(empty_database)
    with empty_database.snapshot() as session:
        found = {
            (name, key["name"], key["options"].get("ondelete"))
            for name in Base.metadata.tables
            for key in inspect(session.connection()).get_foreign_keys(name)
        }
    assert found == {
        (table.name, constraint.name, constraint.ondelete)
        for table in Base.metadata.tables.values()
        for constraint in table.foreign_key_constraints
    }


def test_an_empty_database_is_not_current(empty_database: Database) -> None:
    assert not is_current(empty_database)
    with pytest.raises(ConfigurationError, match="python -m app migrate"):
        check_current(empty_database)
    migrate(empty_database)
    assert is_current(empty_database)
    check_current(empty_database)


def test_migrating_again_changes_nothing(empty_database: Database) -> None:
    migrate(empty_database)
    stored(empty_database, "A")
    migrate(empty_database)
    with empty_database.snapshot() as session:
        assert session.scalar(text("SELECT count(*) FROM calls")) == 1


def test_down_and_up_again(empty_database: Database) -> None:
    migrate(empty_database)
    completed(empty_database, "A", 0, ("objection",))
    downgrade(empty_database, "base")
    assert _tables(empty_database) == {"alembic_version"}
    assert not is_current(empty_database)
    migrate(empty_database)
    completed(empty_database, "A", 0, ("objection",))


def test_a_failed_migration_leaves_nothing_behind(empty_database: Database) -> None:
    with empty_database.session() as session:
        # In the way of the last table of the migration.
        session.execute(text("CREATE TABLE moments (x integer)"))
    with pytest.raises(Exception, match="moments"):
        migrate(empty_database)
    assert _tables(empty_database) == {"moments"}
    with empty_database.session() as session:
        session.execute(text("DROP TABLE moments"))
    migrate(empty_database)
    assert is_current(empty_database)


def test_a_newer_database_is_left_alone(empty_database: Database) -> None:
    migrate(empty_database)
    with empty_database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not is_current(empty_database)
    with pytest.raises(ConfigurationError, match="another version"):
        migrate(empty_database)


def test_a_start_migrates_sqlite_and_only_checks_postgresql(empty_database: Database) -> None:
    if empty_database.is_sqlite:
        prepare(empty_database)
        assert is_current(empty_database)
        prepare(empty_database)
    else:
        with pytest.raises(ConfigurationError, match="python -m app migrate"):
            prepare(empty_database)
        assert _tables(empty_database) == set()


def test_processes_that_start_at_once_all_find_a_migrated_database(empty_url: str) -> None:
    assert run_together(migrate_together, 3, empty_url) == [True, True, True]
    with opened(empty_url) as database:
        assert is_current(database)


def test_foreign_keys_are_checked_again_after_a_migration(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/x.db") as database:
        migrate(database)
        with pytest.raises(ConfigurationError, match="references"), database.exclusive() as connection:
            connection.exec_driver_sql("INSERT INTO transcripts (result_id, text) VALUES (1, 'x')")
        with database.session() as session:
            assert session.scalar(text("PRAGMA foreign_keys")) == 1
            assert session.scalar(text("PRAGMA busy_timeout")) == 10_000
            assert session.scalar(text("SELECT count(*) FROM transcripts")) == 0


def test_postgresql_keeps_ids_in_byte_order() -> None:
    with postgres_database() as database, database.snapshot() as session:
        collations = session.execute(
            text(
                "SELECT table_name || '.' || column_name FROM information_schema.columns"
                " WHERE collation_name = 'C' AND table_schema = 'public' ORDER BY 1"
            )
        )
        assert list(collations.scalars()) == [
            "call_comments.call_id",
            "call_comments.comment_id",
            "call_figures.agent_id",
            "call_figures.call_id",
            "call_figures.team_id",
            "calls.agent_id",
            "calls.audio_key",
            "calls.call_id",
            "calls.customer_id",
            "calls.duplicate_of",
            "calls.team_id",
            "checkpoints.call_id",
            "clips.audio_key",
            "clips.call_id",
            "clips.clip_id",
            "clips.folder",
            "idempotency_keys.call_id",
            "idempotency_keys.key",
            "moment_reviews.call_id",
            "peaks.call_id",
            "playbook_revisions.name",
            "playbooks.name",
            "reel_calls.call_id",
            "reel_calls.reel_id",
            "reels.audio_key",
            "reels.reel_id",
            "results.call_id",
            "webhook_deliveries.call_id",
            "webhook_deliveries.endpoint_id",
            "webhook_deliveries.id",
            "webhook_endpoints.id",
            "workers.owner",
        ]


def test_calls_survive_the_way_down_to_the_first_schema_and_up_again(empty_database: Database) -> None:
    migrate(empty_database)
    stored(empty_database, "A")
    whole = analysis("A")
    with empty_database.session() as session:
        results = ResultRepository(session)
        results.add("A", whole, at(1))
        edits = (NameSpeaker("speaker_0", "Ada"),)
        results.replace_edited("A", 1, edits, replace(whole, degraded=not whole.degraded), at(2))
    downgrade(empty_database, "0001")
    migrate(empty_database)
    with empty_database.snapshot() as session:
        found = ResultRepository(session).current("A")
    assert found is not None
    # The first schema knows no roles with a source, no channels, no moments without a segment, no edits,
    # no readings.
    unheard = replace(whole.segments[2].segment.words[1], channel=None)
    last = whole.segments[2].segment
    heard = replace(whole.segments[2], segment=replace(last, words=(last.words[0], unheard)))
    assert found == replace(
        whole,
        segments=tuple(replace(part, reading=None) for part in (*whole.segments[:2], heard)),
        speakers=(Speaker("speaker_0"), Speaker("speaker_1")),
        metrics=None,
        call_moments=(),
        loudness=(),
        separate_channels=False,
    )
