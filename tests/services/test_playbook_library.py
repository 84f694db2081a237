"""Which playbook a call is analysed by, in every process, and what is refused before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.exceptions import PlaybookInvalid, PlaybookMissing, UnknownPlaybook
from app.db.session import Database
from app.services import playbook_library
from tests.analyses import spoken
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.databases import opened, sqlite_url
from tests.services.playbooks import SAID, Shop, text_of

__all__ = ["database", "quick_folder", "shared_database"]


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Shop:
    return Shop(database, tmp_path)


def found_by(shop: Shop, name: str | None = None) -> list[str]:
    playbook = shop.library.current(name)
    return [moment.rule for moment in shop.coachable.find("A", [spoken(SAID, 0)], "en", None, playbook)]


def test_a_published_row_beats_the_file_of_its_name(shop: Shop) -> None:
    shop.write(text_of("of_file"))
    assert found_by(shop, "mine") == ["of_file"]
    shop.playbooks.put_draft("mine", text_of("of_draft"))
    assert found_by(shop, "mine") == ["of_file"]
    shop.publish(text_of("of_row"))
    assert found_by(shop, "mine") == ["of_row"]


def test_other_processes_go_by_a_new_revision_at_once(database: Database, shop: Shop) -> None:
    worker = Shop(database, shop.folder)
    for rule_id in ("first", "second"):
        revision = shop.publish(text_of(rule_id))
        assert found_by(worker, "mine") == [rule_id]
        assert worker.library.current("mine").revision == revision


def test_no_name_is_the_default_which_may_be_a_row(database: Database, tmp_path: Path) -> None:
    Shop(database, tmp_path).publish(text_of("of_row"))
    shop = Shop(database, tmp_path, default="mine")
    shop.library.check_default()
    assert found_by(shop) == ["of_row"]
    shop.library.check("mine")
    shop.library.check(None)


def test_a_default_that_is_nowhere_stops_the_start(database: Database, tmp_path: Path) -> None:
    shop = Shop(database, tmp_path, default="mine")
    shop.playbooks.create(text_of())
    with pytest.raises(PlaybookMissing, match="no playbook 'mine'"):
        shop.library.check_default()
    with pytest.raises(UnknownPlaybook, match="no playbook 'mine'"):
        shop.library.current()


def test_a_default_that_is_nowhere_stops_the_start_on_a_new_database_too(tmp_path: Path) -> None:
    with opened(sqlite_url(tmp_path)) as unmigrated:
        with pytest.raises(PlaybookMissing):
            Shop(unmigrated, tmp_path, default="mine").library.check_default()
        Shop(unmigrated, tmp_path).library.check_default()  # a file: nobody asks the database


def test_while_the_database_is_away_a_default_without_a_file_may_be_stored(tmp_path: Path) -> None:
    with opened("postgresql://nobody@127.0.0.1:1/nothing") as away:
        Shop(away, tmp_path, default="mine").library.check_default()


def test_a_name_that_is_nowhere_is_refused_with_those_that_are(shop: Shop) -> None:
    shop.publish(text_of())
    for ask in (shop.library.check, shop.library.current):
        with pytest.raises(UnknownPlaybook, match="no playbook 'nobody'; known: default, mine"):
            ask("nobody")
    shop.library.check("mine")


def test_a_broken_file_is_refused_without_its_path(shop: Shop) -> None:
    (shop.folder / "broken.yaml").write_text("name: [")
    with pytest.raises(PlaybookInvalid) as caught:
        shop.library.check("broken")
    assert str(shop.folder) not in caught.value.detail
    assert caught.value.errors[0]["line"] == "2"


def test_a_revision_is_compiled_once_and_the_oldest_make_room(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playbook_library, "MOST_COMPILED", 2)
    first = shop.publish(text_of("first"))
    compiled = shop.library.current("mine")
    assert shop.library.revision("mine", first) is compiled
    for rule_id in ("second", "third"):
        shop.publish(text_of(rule_id))
        shop.library.current("mine")
    again = shop.library.revision("mine", first)
    assert again is not compiled
    assert again.revision == first
    with pytest.raises(UnknownPlaybook, match="no published revision"):
        shop.library.revision("default", "0" * 12)


def test_what_a_later_version_cannot_read_any_more_is_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.publish(text_of())
    other = Shop(shop.library._database, shop.folder)
    monkeypatch.setattr(playbook_library, "parse_playbook", _refuse)
    with pytest.raises(PlaybookInvalid, match="unknown field"):
        other.library.current("mine")


def _refuse(*_: object) -> object:
    from app.core.exceptions import ConfigurationError

    raise ConfigurationError("unknown field")
