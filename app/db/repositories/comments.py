"""Reviewers' comments, in and out of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.db.comment_models import CallCommentRow
from app.db.models import table_of
from app.db.repositories.statements import touched
from app.schemas.comment import Comment

_COMMENTS = table_of(CallCommentRow)


class CommentRepository:
    """All SQL about comments, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, comment: Comment) -> None:
        self._session.connection().execute(insert(_COMMENTS), _values(comment))

    def get(self, call_id: str, comment_id: str) -> Comment | None:
        row = self._session.execute(select(_COMMENTS).where(*_on(call_id, comment_id))).one_or_none()
        return None if row is None else _comment_of(row)

    def of_call(self, call_id: str) -> tuple[Comment, ...]:
        """All comments on the call in order of time; those at the same time, the older first."""
        rows = self._session.execute(
            select(_COMMENTS)
            .where(_COMMENTS.c.call_id == call_id)
            .order_by(_COMMENTS.c.time_s, _COMMENTS.c.created_at, _COMMENTS.c.comment_id)
        )
        return tuple(_comment_of(row) for row in rows)

    def count(self, call_id: str) -> int:
        """How many comments there are on the call."""
        query = select(func.count()).select_from(_COMMENTS).where(_COMMENTS.c.call_id == call_id)
        return self._session.scalar(query) or 0

    def replace(self, comment: Comment) -> None:
        """Keep the comment in the place of what it was."""
        where = _on(comment.call_id, comment.id)
        touched(self._session, update(_COMMENTS).where(*where).values(_values(comment)))

    def remove(self, call_id: str, comment_id: str) -> bool:
        """False where there is none."""
        return touched(self._session, delete(_COMMENTS).where(*_on(call_id, comment_id))) == 1


def remove_comments(session: Session, call_ids: Sequence[str]) -> None:
    """Remove all comments on these calls."""
    touched(session, delete(_COMMENTS).where(_COMMENTS.c.call_id.in_(call_ids)))


def _on(call_id: str, comment_id: str) -> tuple[Any, Any]:
    return _COMMENTS.c.call_id == call_id, _COMMENTS.c.comment_id == comment_id


def _values(comment: Comment) -> dict[str, Any]:
    values = asdict(comment)
    return {"comment_id": values.pop("id"), **values}


def _comment_of(row: Row[Any]) -> Comment:
    return Comment(
        row.comment_id, row.call_id, row.time_s, row.text, row.author, row.created_at, row.updated_at
    )
