"""Comments at a time of a call: kept beside its results, in order of time, gone with it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.core.exceptions import (
    CallNotFound,
    CallNotReady,
    CommentNotFound,
    LegalHold,
    TextDeleted,
    TooManyComments,
    ValidationFailed,
)
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import ResultRepository
from app.db.repositories.retention import RetentionRepository
from app.db.session import Database
from app.schemas.comment import CommentChange
from app.services import comment_service
from app.services.comment_service import CommentService
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.values import analysis, at, completed, stored

__all__ = ["database", "quick_folder", "shared_database"]

LENGTH_S = 72.1 / 3


@pytest.fixture
def comments(database: Database) -> CommentService:
    completed(database, "A", 0)
    return CommentService(database)


def test_comments_are_told_in_order_of_time_and_outlive_an_analysis(
    database: Database, comments: CommentService
) -> None:
    late = comments.add("A", 9.5, "later\nin two lines", "Robin")
    first, second = comments.add("A", 2.0, "one"), comments.add("A", 2.0, "two")
    with database.session() as session:
        ResultRepository(session).add("A", analysis("A"), at(9))
    assert comments.of_call("A") == (first, second, late)
    assert (late.author, first.author, late.time_s) == ("Robin", None, 9.5)


def test_what_is_left_out_of_a_change_stays(comments: CommentService) -> None:
    made = comments.add("A", 2.0, "one", "Robin")
    moved = comments.change("A", made.id, CommentChange(time_s=0.0))
    assert (moved.time_s, moved.text, moved.author) == (0.0, "one", "Robin")
    assert moved.updated_at >= moved.created_at == made.created_at
    nameless = comments.change("A", made.id, CommentChange(text="two", author=None))
    assert (nameless.time_s, nameless.text, nameless.author) == (0.0, "two", None)
    assert comments.of_call("A") == (nameless,)


@pytest.mark.parametrize("time_s", [-0.1, LENGTH_S + 0.1])
def test_a_time_that_is_not_in_the_recording_is_refused(comments: CommentService, time_s: float) -> None:
    made = comments.add("A", LENGTH_S, "the end")
    with pytest.raises(ValidationFailed) as refused:
        comments.add("A", time_s, "x")
    assert [error["field"] for error in refused.value.errors] == ["time_seconds"]
    with pytest.raises(ValidationFailed):
        comments.change("A", made.id, CommentChange(time_s=time_s))


def test_a_comment_is_of_one_call(database: Database, comments: CommentService) -> None:
    completed(database, "B", 1)
    made = comments.add("A", 1.0, "x")
    with pytest.raises(CommentNotFound):
        comments.change("B", made.id, CommentChange(text="y"))
    with pytest.raises(CommentNotFound):
        comments.remove("B", made.id)
    comments.remove("A", made.id)
    with pytest.raises(CommentNotFound):
        comments.remove("A", made.id)


def test_what_takes_no_comment(database: Database, comments: CommentService) -> None:
    stored(database, "QUEUED", 5)
    with pytest.raises(CallNotFound):
        comments.add("NOBODY", 1.0, "x")
    with pytest.raises(CallNotFound):
        comments.of_call("NOBODY")
    with pytest.raises(CallNotReady):
        comments.add("QUEUED", 1.0, "x")
    with database.session() as session:
        RetentionRepository(session).delete_texts(at(1), at(2), 9)
    with pytest.raises(TextDeleted):
        comments.add("A", 1.0, "x")


def test_there_is_an_end_to_comments(comments: CommentService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comment_service, "MOST_COMMENTS", 2)
    comments.add("A", 1.0, "x")
    comments.add("A", 1.0, "y")
    with pytest.raises(TooManyComments):
        comments.add("A", 1.0, "z")


def test_a_comment_on_a_held_call_may_be_changed_and_not_removed(
    database: Database, comments: CommentService
) -> None:
    made = comments.add("A", 1.0, "x")
    with database.session() as session:
        RetentionRepository(session).hold("A", held=True)
    assert comments.change("A", made.id, CommentChange(text="y")).text == "y"
    with pytest.raises(LegalHold):
        comments.remove("A", made.id)


def test_comments_go_with_their_call(database: Database, comments: CommentService) -> None:
    comments.add("A", 1.0, "x")
    with database.session() as session:
        CallRepository(session).delete("A")
    with database.snapshot() as session:
        assert session.scalar(text("SELECT count(*) FROM call_comments")) == 0
