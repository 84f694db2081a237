"""Verdicts for tests of the database."""

from __future__ import annotations

from typing import Any

from app.db.repositories.reviews import ReviewRepository
from app.db.session import Database
from app.schemas.review import FoundMoment, MomentReview, Opinion, SegmentReviewed, Verdict
from app.schemas.utterance import Before
from tests.db.values import at


def review(call_id: str = "A", moment_id: str = "m_1", **changes: Any) -> MomentReview:
    values: dict[str, Any] = {
        "opinion": Opinion(Verdict.OTHER, "objection", "timing", "they mean the quarter, not the price"),
        "moment": FoundMoment(
            type="objection",
            subtype="price",
            confidence=0.1 + 0.2,
            source="rule",
            rule="price_too_high",
            playbook="default",
            revision="abc123",
            role="customer",
            evidence="too much “now”",
            start_char=4,
            end_char=18,
            start_s=1.25,
            end_s=2.5,
        ),
        "language": "en",
        "segment": SegmentReviewed(
            "It's too much “now”",
            "customer",
            ("objection/price", "hesitation"),
            Before("agent", "Shall we?"),
        ),
        "reviewed_at": at(60),
    }
    return MomentReview(call_id, moment_id, **{**values, **changes})


def put(database: Database, kept: MomentReview) -> bool:
    with database.session() as session:
        return ReviewRepository(session).put(kept)


def of_call(database: Database, call_id: str = "A") -> tuple[MomentReview, ...]:
    with database.snapshot() as session:
        return ReviewRepository(session).of_call(call_id)
