"""`python -m app playbooks`: a file is checked with its examples, and published."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.db.session import Database
from app.services.coachable.loader import BUILT_IN_FOLDER
from tests.db.databases import sqlite_database
from tests.services.coachable.factories import playbook_text, rule, write_playbook
from tests.services.playbooks import Shop, text_of


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The database that the commands' settings name."""
    monkeypatch.chdir(tmp_path)
    with sqlite_database(tmp_path) as database:
        monkeypatch.setenv("DATABASE_URL", str(database.engine.url))
        yield database


def run(command: str, file: Path) -> Result:
    """A command sets up the logging of its process: here that of other tests, which is given back."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    try:
        return CliRunner().invoke(cli, ["playbooks", command, str(file)])
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


def test_a_playbook_whose_examples_hold(tmp_path: Path) -> None:
    file = write_playbook(tmp_path, text_of())
    done = run("check", file)
    assert done.exit_code == 0, done.output
    assert "mine 1, revision" in done.stdout
    assert "1 rules (en): all examples hold" in done.stdout


def test_languages_beside_it_are_checked_too(tmp_path: Path) -> None:
    file = write_playbook(tmp_path, text_of())
    spanish = rule(id="lo_quiere", condition={"phrases": ["lo quiero"]}, match=["No."], no_match=["Bueno."])
    beside = tmp_path / "mine.es.yaml"
    beside.write_text(playbook_text(spanish).partition("version: '1'\n")[2])
    for path in (file, beside):
        done = run("check", path)
        assert done.exit_code == 1
        assert "rule lo_quiere (es) does not find: No." in done.stderr
    refused = run("publish", file)
    assert (refused.exit_code, "put the rules of mine.es.yaml into mine.yaml" in refused.stderr) == (2, True)


@pytest.mark.parametrize("name", ["mine.yaml", "mine.yml"])
def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("name: mine\nversion: [")
    done = run("check", tmp_path / name)
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert name in done.stderr


def test_the_built_in_playbook_passes() -> None:
    assert run("check", BUILT_IN_FOLDER / "default.yaml").exit_code == 0


def test_publishing_a_file(tmp_path: Path, database: Database) -> None:
    file = write_playbook(tmp_path, text_of())
    done = run("publish", file)
    assert done.exit_code == 0, done.output
    shop = Shop(database, tmp_path)
    assert shop.playbooks.get("mine")[0].yaml == text_of()
    write_playbook(tmp_path, text_of("second"))
    assert run("publish", file).exit_code == 0
    assert shop.playbooks.get("mine")[0].yaml == text_of("second")


def test_what_is_not_published(tmp_path: Path, database: Database) -> None:
    shop = Shop(database, tmp_path)
    wrong = write_playbook(tmp_path, playbook_text(rule(match=["No way."])))
    assert (run("publish", wrong).exit_code, shop.playbooks.revisions("mine")[0][0].created_at) == (1, None)
    shop.playbooks.create(text_of("somebody_elses"))
    file = write_playbook(tmp_path, text_of())
    done = run("publish", file)
    assert (done.exit_code, "playbook_draft_exists" in done.stderr) == (1, True)
    assert shop.playbooks.draft("mine").yaml == text_of("somebody_elses")
