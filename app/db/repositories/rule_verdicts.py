"""Reviewers' verdicts counted by the rule that found the moment."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.repositories.reviews import REVIEWS
from app.schemas.review import Verdict, label_of
from app.schemas.rule_report import VerdictCount


def count_verdicts(session: Session, playbook: str) -> tuple[VerdictCount, ...]:
    """Of all moments that a rule of the playbook found, alone or with a classifier, in all its revisions."""
    keys = (
        REVIEWS.c.rule,
        REVIEWS.c.revision,
        REVIEWS.c.verdict,
        REVIEWS.c.correct_type,
        REVIEWS.c.correct_subtype,
    )
    rows = session.execute(
        select(*keys, func.count().label("count"))
        .where(REVIEWS.c.playbook == playbook, REVIEWS.c.rule != "", REVIEWS.c.source != "classifier")
        .group_by(*keys)
    )
    return tuple(
        VerdictCount(
            row.rule,
            row.revision,
            Verdict(row.verdict),
            None if row.correct_type is None else label_of(row.correct_type, row.correct_subtype),
            row._mapping["count"],
        )
        for row in rows
    )
