"""Drafts and published revisions: what may change, what never does, and who wins a race."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.core.exceptions import (
    AppError,
    PlaybookDraftChanged,
    PlaybookDraftExists,
    PlaybookDraftNotFound,
    PlaybookExamplesFailed,
    PlaybookInvalid,
    PlaybookNotFound,
    PlaybookRevisionNotFound,
    PlaybookTooLarge,
    TooManyPlaybooks,
)
from app.db.session import Database
from app.schemas.playbook import PlaybookSource, RevisionState
from app.services import playbook_service
from app.services.coachable.loader import MAX_BYTES
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.values import at
from tests.services.coachable.factories import playbook_text, rule
from tests.services.playbooks import Shop, text_of

__all__ = ["database", "quick_folder", "shared_database"]


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Shop:
    return Shop(database, tmp_path)


def test_a_draft_is_kept_and_holds_for_nothing(shop: Shop) -> None:
    draft = shop.playbooks.create(text_of())
    assert (draft.facts.name, draft.facts.state, draft.facts.rules) == ("mine", RevisionState.DRAFT, 1)
    assert shop.playbooks.draft("mine") == draft
    (mine,) = [known for known in shop.playbooks.all() if known.name == "mine"]
    assert (mine.current, mine.draft, mine.source) == (None, draft.facts, PlaybookSource.ROW)
    with pytest.raises(PlaybookRevisionNotFound, match="nothing but its draft"):
        shop.playbooks.get("mine")
    assert shop.playbooks.get("mine", draft.facts.revision) == (draft, PlaybookSource.ROW)


def test_creating_a_second_draft_is_refused_and_replacing_it_is_not(shop: Shop) -> None:
    first = shop.playbooks.create(text_of())
    with pytest.raises(PlaybookDraftExists):
        shop.playbooks.create(text_of("other"))
    assert shop.playbooks.draft("mine") == first
    second = shop.playbooks.put_draft("mine", text_of("other"))
    assert shop.playbooks.draft("mine") == second
    assert second.facts.created_at == first.facts.created_at


def test_what_another_has_written_meanwhile_is_not_lost(shop: Shop) -> None:
    first = shop.playbooks.create(text_of())
    commented = shop.playbooks.put_draft("mine", "# theirs\n" + text_of(), first.etag)
    assert commented.facts.revision == first.facts.revision
    for stale in (first.etag, "nonsense"):
        with pytest.raises(PlaybookDraftChanged):
            shop.playbooks.put_draft("mine", "# ours\n" + text_of(), stale)
        with pytest.raises(PlaybookDraftChanged):
            shop.playbooks.drop_draft("mine", stale)
    assert shop.playbooks.draft("mine") == commented
    shop.playbooks.drop_draft("mine", "*")
    with pytest.raises(PlaybookDraftChanged):  # there is none that it could replace
        shop.playbooks.put_draft("mine", text_of(), "*")
    with pytest.raises(PlaybookDraftNotFound):
        shop.playbooks.draft("mine")
    with pytest.raises(PlaybookDraftNotFound):
        shop.playbooks.drop_draft("mine")


def test_publishing_ends_the_draft_and_twice_is_once(shop: Shop) -> None:
    draft = shop.playbooks.create(text_of())
    published = [shop.playbooks.publish("mine", draft.facts.revision) for _ in range(2)]
    assert published[0] == published[1]
    assert (published[0].facts.state, published[0].yaml) == (RevisionState.PUBLISHED, draft.yaml)
    assert published[0].facts.published_at == at(3)  # the row, the draft, and then
    with pytest.raises(PlaybookDraftNotFound):
        shop.playbooks.draft("mine")
    assert shop.playbooks.get("mine") == (published[0], PlaybookSource.ROW)


def test_an_earlier_revision_can_hold_again(shop: Shop) -> None:
    first, second = shop.publish(text_of("first")), shop.publish(text_of("second"))
    assert shop.playbooks.get("mine")[0].facts.revision == second
    shop.playbooks.publish("mine", first)
    assert shop.playbooks.get("mine")[0].facts.revision == first
    facts, current = shop.playbooks.revisions("mine")
    assert ([known.revision for known in facts], current) == ([second, first], first)


def test_a_draft_with_published_contents_makes_these_current_and_leaves_them_as_they_were(shop: Shop) -> None:
    first, _ = shop.publish(text_of("first")), shop.publish(text_of("second"))
    draft = shop.playbooks.put_draft("mine", "# a comment\n" + text_of("first"))
    assert draft.facts.revision == first
    assert shop.playbooks.publish("mine", first).yaml == text_of("first")
    assert shop.playbooks.get("mine")[0].facts.revision == first
    with pytest.raises(PlaybookDraftNotFound):
        shop.playbooks.draft("mine")


def test_only_what_was_looked_at_is_published(shop: Shop) -> None:
    seen = shop.playbooks.create(text_of("seen"))
    changed = shop.playbooks.put_draft("mine", text_of("changed"))
    with pytest.raises(PlaybookRevisionNotFound, match=f"its draft is {changed.facts.revision}"):
        shop.playbooks.publish("mine", seen.facts.revision)
    with pytest.raises(PlaybookNotFound):
        shop.playbooks.publish("nobody", seen.facts.revision)
    with pytest.raises(PlaybookRevisionNotFound):
        shop.playbooks.get("mine")


def test_examples_that_do_not_hold_stop_the_publishing(shop: Shop) -> None:
    wrong = rule(match=["Not at all."], no_match=["I want it."])
    draft = shop.playbooks.create(playbook_text(wrong))
    with pytest.raises(PlaybookExamplesFailed) as caught:
        shop.playbooks.publish("mine", draft.facts.revision)
    assert [error["field"] for error in caught.value.errors] == ["wants_it.match", "wants_it.no_match"]
    assert shop.playbooks.draft("mine") == draft


def test_examples_that_take_too_long_are_not_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playbook_service, "EXAMPLES_LIMIT_S", 0.0)
    draft = shop.playbooks.create(text_of())
    with pytest.raises(PlaybookTooLarge, match="examples take longer"):
        shop.playbooks.publish("mine", draft.facts.revision)
    assert shop.playbooks.draft("mine") == draft


def test_there_is_an_end_to_rules(shop: Shop) -> None:
    with pytest.raises(PlaybookInvalid, match="at most 1000 items"):
        shop.playbooks.create(playbook_text(*(rule(id=f"r{number}") for number in range(1001))))


@pytest.mark.parametrize(
    ("text", "line"),
    [("name: [", "2"), (text_of().replace("confidence: 0.8", "confidence: 8"), "7"), ("[" * 100_000, "1")],
    ids=["yaml", "schema", "brackets"],
)
def test_a_text_that_cannot_be_used_is_told_line_by_line_and_not_kept(
    shop: Shop, text: str, line: str
) -> None:
    with pytest.raises(PlaybookInvalid) as caught:
        shop.playbooks.create(text, "mine")
    assert caught.value.errors[0]["line"] == line
    with pytest.raises(PlaybookDraftNotFound):
        shop.playbooks.draft("mine")


def test_a_text_under_another_name_is_refused(shop: Shop) -> None:
    with pytest.raises(PlaybookInvalid, match="must be 'yours'"):
        shop.playbooks.put_draft("yours", text_of())


def test_a_text_that_is_too_large_is_not_even_read(shop: Shop) -> None:
    with pytest.raises(PlaybookTooLarge):
        shop.playbooks.create("[" * (MAX_BYTES + 1))


def test_there_is_an_end_to_new_names(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playbook_service, "MOST_PLAYBOOKS", 2)
    for name in ("first", "second"):
        shop.playbooks.create(text_of(name=name))
    with pytest.raises(TooManyPlaybooks):
        shop.playbooks.create(text_of(name="third"))
    shop.playbooks.put_draft("first", text_of("changed", name="first"))


def test_files_are_listed_and_a_row_takes_the_place_of_one(shop: Shop) -> None:
    shop.write(text_of("of_file"))
    (shop.folder / "broken.yaml").write_text("name: [")
    known = {playbook.name: playbook for playbook in shop.playbooks.all()}
    assert known.keys() == {"broken", "default", "mine"}
    assert known["broken"].current is None
    assert known["default"].current is not None
    assert known["default"].current.rules >= 36
    assert "en" in known["default"].current.languages
    file, source = shop.playbooks.get("mine")
    assert (file.yaml, source) == (text_of("of_file"), PlaybookSource.FILE)
    revision = shop.publish(text_of("of_row"))
    assert shop.playbooks.get("mine")[1] is PlaybookSource.ROW
    facts, current = shop.playbooks.revisions("mine")
    assert ([known.revision for known in facts], current) == ([revision, file.facts.revision], revision)
    assert shop.playbooks.get("mine", file.facts.revision) == (file, PlaybookSource.FILE)
    with pytest.raises(PlaybookRevisionNotFound):
        shop.playbooks.get("mine", "0" * 12)
    with pytest.raises(PlaybookNotFound, match="known: broken, default, mine"):
        shop.playbooks.get("nobody")


def test_of_two_that_publish_at_once_both_are_answered_and_one_revision_holds(shop: Shop) -> None:
    earlier = shop.publish(text_of("earlier"))
    draft = shop.playbooks.put_draft("mine", text_of("later")).facts.revision
    together = threading.Barrier(8)

    def publish(number: int) -> str:
        together.wait()
        return shop.playbooks.publish("mine", (draft, earlier)[number % 2]).facts.revision

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(publish, range(8)))
    assert answers == [draft, earlier] * 4
    facts, current = shop.playbooks.revisions("mine")
    assert {known.revision for known in facts} == {draft, earlier}
    assert {known.state for known in facts} == {RevisionState.PUBLISHED}
    assert current in (draft, earlier)


def test_of_many_that_create_at_once_one_does(shop: Shop) -> None:
    together = threading.Barrier(6)

    def create(number: int) -> str:
        together.wait()
        try:
            return shop.playbooks.create(text_of(f"rule_{number}")).facts.revision
        except AppError as error:
            return error.code

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(create, range(6)))
    assert answers.count("playbook_draft_exists") == 5
    assert shop.playbooks.draft("mine").facts.revision in answers
