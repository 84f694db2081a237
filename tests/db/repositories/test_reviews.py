"""Verdicts come back as they went in, one a moment, and go with the call or with its words."""

from __future__ import annotations

from dataclasses import replace

from app.db.repositories.calls import CallRepository
from app.db.repositories.retention import RetentionRepository
from app.db.repositories.reviews import ReviewRepository
from app.db.session import Database
from app.schemas.review import Opinion, Verdict
from tests.db.review_values import of_call, put, review
from tests.db.values import at, completed


def test_a_verdict_comes_back_as_it_was(database: Database) -> None:
    completed(database, "A", 0)
    kept = review()
    assert put(database, kept)
    assert of_call(database) == (kept,)


def test_a_verdict_on_a_moment_of_the_whole_call_has_no_segment(database: Database) -> None:
    completed(database, "A", 0)
    kept = review(segment=None, language=None)
    put(database, kept)
    assert of_call(database) == (kept,)


def test_a_second_verdict_takes_the_place_of_the_first(database: Database) -> None:
    completed(database, "A", 0)
    put(database, review())
    second = review(opinion=Opinion(Verdict.RIGHT), reviewed_at=at(90))
    assert not put(database, second)
    assert of_call(database) == (second,)


def test_verdicts_are_in_the_order_of_the_moments(database: Database) -> None:
    completed(database, "A", 0)
    completed(database, "B", 1)
    late = review(moment_id="m_1", moment=replace(review().moment, start_s=9.0))
    early = review(moment_id="m_2")
    for kept in (late, early, review("B")):
        assert put(database, kept)
    assert of_call(database) == (early, late)


def test_a_verdict_is_taken_back_once(database: Database) -> None:
    completed(database, "A", 0)
    put(database, review())
    with database.session() as session:
        reviews = ReviewRepository(session)
        assert reviews.remove("A", "m_1")
        assert not reviews.remove("A", "m_1")
        assert not reviews.remove("B", "m_1")
    assert of_call(database) == ()


def test_verdicts_go_with_their_call(database: Database) -> None:
    completed(database, "A", 0)
    put(database, review())
    with database.session() as session:
        CallRepository(session).delete("A")
    assert of_call(database) == ()


def test_verdicts_stay_without_words_when_those_go(database: Database) -> None:
    completed(database, "A", 0)
    completed(database, "B", 9)
    put(database, review("A"))
    put(database, review("B"))
    with database.session() as session:
        assert RetentionRepository(session).delete_texts(at(5), at(99), 10) == ("A",)
    (left,) = of_call(database, "A")
    assert left == review(
        opinion=replace(review().opinion, note=None),
        moment=replace(review().moment, evidence="", start_char=0, end_char=0),
        segment=None,
    )
    assert of_call(database, "B") == (review("B"),)


def test_calls_with_words_and_verdicts_are_found_in_order(database: Database) -> None:
    for number, call_id in enumerate(("C", "A", "B", "NONE")):
        completed(database, call_id, number)
    put(database, review("C"))
    put(database, review("A", "m_1"))
    put(database, review("A", "m_2"))
    put(database, review("B", segment=None))
    with database.snapshot() as session:
        reviews = ReviewRepository(session)
        assert reviews.reviewed_calls(None, 10) == ("A", "C")
        assert reviews.reviewed_calls(None, 1) == ("A",)
        assert reviews.reviewed_calls("A", 10) == ("C",)
