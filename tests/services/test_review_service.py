"""Verdicts on what is found again and on what is not, and the lines to train on that they make."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.core.exceptions import ValidationFailed
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.analysis import Analysis
from app.schemas.moment import Moment
from app.schemas.review import Opinion, SegmentReviewed, Verdict
from app.schemas.utterance import Before
from app.services.coachable_service import CoachableService
from app.services.review_lines import lines_of
from app.services.review_service import ReviewService
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.databases import settings_for
from tests.db.review_values import review
from tests.db.values import analysis, at, completed

__all__ = ["database", "quick_folder", "shared_database"]

RIGHT, WRONG = Opinion(Verdict.RIGHT), Opinion(Verdict.WRONG)


@pytest.fixture(scope="module")
def coachable() -> CoachableService:
    return CoachableService(settings_for("sqlite://"))


@pytest.fixture
def service(database: Database, coachable: CoachableService) -> ReviewService:
    return ReviewService(database, coachable)


def call_with(database: Database, found: Analysis) -> Analysis:
    completed(database, "A", 0)
    add(database, found)
    return found


def add(database: Database, found: Analysis) -> None:
    with database.session() as session:
        ResultRepository(session).add("A", found, at(5))


def named(found: Analysis, kind: str) -> Moment:
    return next(moment for moment in found.moments if moment.type == kind)


def test_what_a_verdict_is_about_is_kept_with_it(database: Database, service: ReviewService) -> None:
    found = call_with(database, analysis("A"))
    moment = named(found, "objection")
    kept, is_first = service.review("A", moment.id, Opinion(Verdict.OTHER, "confusion", None, "hm"))
    assert is_first
    ((shown, is_found),) = service.of_call("A")
    assert (shown, is_found) == (kept, True)
    assert shown.segment == SegmentReviewed(
        text="That is too expensive for our budget.",
        role="customer",
        labels=("objection/price", "hesitation"),
        before=Before("customer", "Hello there."),
    )
    assert (shown.language, shown.moment.rule, shown.moment.revision) == ("en", "objection.plain", "abc123")
    assert (shown.moment.start_s, shown.moment.evidence) == (moment.evidence.start_s, moment.evidence.text)


def test_a_moment_of_the_whole_call_has_no_words(database: Database, service: ReviewService) -> None:
    found = call_with(database, analysis("A"))
    kept, _ = service.review("A", named(found, "dead_air").id, RIGHT)
    assert kept.segment is None
    assert list(lines_of([kept])) == []


def test_a_doubtful_moment_is_no_label_unless_it_is_the_one(
    database: Database, service: ReviewService
) -> None:
    found = analysis("A")
    part = found.segments[1]
    doubtful = tuple(
        replace(moment, confidence=0.2) if moment.type == "hesitation" else moment for moment in part.moments
    )
    found = replace(found, segments=(found.segments[0], replace(part, moments=doubtful), found.segments[2]))
    call_with(database, found)
    price, _ = service.review("A", named(found, "objection").id, RIGHT)
    doubt, _ = service.review("A", named(found, "hesitation").id, RIGHT)
    assert price.segment is not None and price.segment.labels == ("objection/price",)
    assert doubt.segment is not None and doubt.segment.labels == ("objection/price", "hesitation")


def test_verdicts_outlive_the_result(database: Database, service: ReviewService) -> None:
    found = call_with(database, analysis("A"))
    price, doubt = named(found, "objection"), named(found, "hesitation")
    service.review("A", price.id, RIGHT)
    service.review("A", doubt.id, WRONG)
    part = found.segments[1]
    anew = replace(part, moments=(replace(price, rule="another", confidence=0.9),))
    add(database, replace(found, segments=(found.segments[0], anew, found.segments[2])))
    assert {kept.moment_id: is_found for kept, is_found in service.of_call("A")} == {
        price.id: True,
        doubt.id: False,
    }
    service.withdraw("A", doubt.id)
    assert [kept.moment_id for kept, _ in service.of_call("A")] == [price.id]


def test_another_type_must_be_another(database: Database, service: ReviewService) -> None:
    moment = named(call_with(database, analysis("A")), "objection")
    with pytest.raises(ValidationFailed, match="type: is what the moment was found to be"):
        service.review("A", moment.id, Opinion(Verdict.OTHER, "objection", "price"))
    service.review("A", moment.id, Opinion(Verdict.OTHER, "objection", "timing"))


def test_calls_are_handed_out_one_after_the_other(
    database: Database, service: ReviewService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.review_service.CALLS_AT_A_TIME", 2)
    for number in range(5):
        completed(database, f"C{number}", number, ("hesitation", "confusion"))
        with database.snapshot() as session:
            found = ResultRepository(session).current(f"C{number}")
        assert found is not None
        for moment in found.moments:
            service.review(f"C{number}", moment.id, RIGHT)
    assert [[kept.call_id for kept in reviews] for reviews in service.with_words()] == [
        [f"C{number}"] * 2 for number in range(5)
    ]


SEGMENT = SegmentReviewed("Too much.", "customer", ("objection/price", "hesitation"), Before("agent", "So?"))


def line(*opinions: tuple[str, str | None, Opinion], segment: SegmentReviewed = SEGMENT) -> dict[str, Any]:
    """What verdicts on moments of these types, all in one segment, make of it."""
    (made,) = lines_of(
        review(
            moment_id=f"m_{number}",
            moment=replace(review().moment, type=type_, subtype=subtype),
            opinion=opinion,
            segment=segment,
            reviewed_at=at(number),
        )
        for number, (type_, subtype, opinion) in enumerate(opinions)
    )
    return made


@pytest.mark.parametrize(
    ("opinions", "labels"),
    [
        ([("objection", "price", RIGHT)], {"objection/price", "hesitation"}),
        ([("objection", "price", WRONG)], {"hesitation"}),
        ([("objection", "price", Opinion(Verdict.OTHER, "confusion"))], {"confusion", "hesitation"}),
        ([("objection", "price", WRONG), ("hesitation", None, WRONG)], set()),
        (
            [
                ("objection", "price", Opinion(Verdict.OTHER, "objection", "competitor")),
                ("hesitation", None, WRONG),
            ],
            {"objection/competitor", "competitor_mention"},
        ),
        (
            [("monologue", None, Opinion(Verdict.OTHER, "pressure"))],
            {"objection/price", "hesitation", "pressure"},
        ),
    ],
)
def test_verdicts_correct_the_labels_of_their_segment(
    opinions: list[tuple[str, str | None, Opinion]], labels: set[str]
) -> None:
    assert set(line(*opinions)["moments"]) == labels


def test_a_line_has_the_form_of_the_labelled_talk() -> None:
    assert line(("objection", "price", RIGHT)) == {
        "text": "Too much.",
        "role": "customer",
        "before": {"role": "agent", "text": "So?"},
        "moments": ["hesitation", "objection/price"],
        "sentiment": None,
        "style": "written",
        "industry": "reviewed",
    }
    raw = line(("hesitation", None, RIGHT), segment=replace(SEGMENT, text="too much", before=None))
    assert (raw["style"], raw["before"]) == ("raw", None)


def test_verdicts_on_time_and_on_unlabelled_objections_say_nothing_about_words() -> None:
    moment = review().moment
    silent = review(moment=replace(moment, type="fast_pace", subtype=None), opinion=WRONG)
    bare = review(moment_id="m_2", moment=replace(moment, subtype=None), opinion=RIGHT)
    assert list(lines_of([silent, bare])) == []
    foreign = review(language="de", opinion=WRONG)
    assert next(iter(lines_of([foreign])))["language"] == "de"
