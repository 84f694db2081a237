"""Reviewers' verdicts on moments, in and out of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from app.db.models import table_of
from app.db.repositories.statements import touched
from app.db.review_models import MomentReviewRow
from app.schemas.review import FoundMoment, MomentReview, Opinion, SegmentReviewed, Verdict
from app.schemas.utterance import Before

_OF_MOMENT = tuple(field.name for field in fields(FoundMoment))
REVIEWS = table_of(MomentReviewRow)
WORDLESS: dict[str, Any] = {
    "note": None,
    "evidence": "",
    "start_char": 0,
    "end_char": 0,
    **dict.fromkeys(("segment_text", "segment_role", "segment_labels")),
    **dict.fromkeys(("before_role", "before_text")),
}
"""What a verdict has left of words when those of its call were deleted: none; its types and times stay."""


class ReviewRepository:
    """All SQL about verdicts, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, review: MomentReview) -> bool:
        """Keep the verdict in the place of an earlier one on the same moment; False where there was one.

        The caller holds the call's lock: two at once would both find none.
        """
        values = _values(review)
        where = _on(review.call_id, review.moment_id)
        if touched(self._session, update(REVIEWS).where(*where).values(values)):
            return False
        self._session.connection().execute(insert(REVIEWS), values)
        return True

    def remove(self, call_id: str, moment_id: str) -> bool:
        """Take a verdict back; False where there is none."""
        return touched(self._session, delete(REVIEWS).where(*_on(call_id, moment_id))) == 1

    def of_call(self, call_id: str) -> tuple[MomentReview, ...]:
        """All verdicts on moments of the call, in the order of the moments."""
        rows = self._session.execute(
            select(REVIEWS)
            .where(REVIEWS.c.call_id == call_id)
            .order_by(REVIEWS.c.start_s, REVIEWS.c.moment_id)
        )
        return tuple(_review_of(row) for row in rows)

    def reviewed_calls(self, after: str | None, limit: int) -> tuple[str, ...]:
        """Ids of calls with verdicts whose words are there, in order, from the one after ``after`` on."""
        query = select(REVIEWS.c.call_id).distinct().where(REVIEWS.c.segment_text.is_not(None))
        if after is not None:
            query = query.where(REVIEWS.c.call_id > after)
        return tuple(self._session.scalars(query.order_by(REVIEWS.c.call_id).limit(limit)))


def take_words(session: Session, call_ids: Sequence[str]) -> None:
    """Leave no word in the verdicts on these calls."""
    touched(session, update(REVIEWS).where(REVIEWS.c.call_id.in_(call_ids)).values(WORDLESS))


def _on(call_id: str, moment_id: str) -> tuple[Any, Any]:
    return REVIEWS.c.call_id == call_id, REVIEWS.c.moment_id == moment_id


def _values(review: MomentReview) -> dict[str, Any]:
    moment, opinion, segment = review.moment, review.opinion, review.segment
    before = segment.before if segment else None
    return {
        "call_id": review.call_id,
        "moment_id": review.moment_id,
        **asdict(opinion),
        **asdict(moment),
        "language": review.language,
        "segment_text": segment and segment.text,
        "segment_role": segment and segment.role,
        "segment_labels": list(segment.labels) if segment else None,
        "before_role": before and before.role,
        "before_text": before and before.text,
        "reviewed_at": review.reviewed_at,
    }


def _review_of(row: Row[Any]) -> MomentReview:
    return MomentReview(
        call_id=row.call_id,
        moment_id=row.moment_id,
        opinion=Opinion(Verdict(row.verdict), row.correct_type, row.correct_subtype, row.note),
        moment=FoundMoment(**{name: getattr(row, name) for name in _OF_MOMENT}),
        language=row.language,
        segment=_segment_of(row),
        reviewed_at=row.reviewed_at,
    )


def _segment_of(row: Row[Any]) -> SegmentReviewed | None:
    if row.segment_text is None:
        return None
    return SegmentReviewed(
        text=row.segment_text,
        role=row.segment_role,
        labels=tuple(row.segment_labels),
        before=None if row.before_text is None else Before(row.before_role, row.before_text),
    )
