"""Reviewers' comments at a time of a call."""

from __future__ import annotations

import secrets
from dataclasses import replace

from app.core.clock import utc_now
from app.core.exceptions import (
    CallNotReady,
    CommentNotFound,
    TooManyComments,
    ValidationFailed,
)
from app.db.repositories.calls import CallRepository
from app.db.repositories.comments import CommentRepository
from app.db.session import Database
from app.schemas.call import CallRecord
from app.schemas.comment import Comment, CommentChange, Keep
from app.schemas.guards import found_call, refuse_if_held, refuse_without_words

MOST_COMMENTS = 1000
"""On one call. A page shows them all."""


class CommentService:
    """Comments stay under the call when it is analysed again, and go with its words.

    Thread-safe; each method is one transaction.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, call_id: str, time_s: float, text: str, author: str | None = None) -> Comment:
        """Raises CallNotFound, CallNotReady while nobody knows how long the recording is, TextDeleted,
        TooManyComments, and ValidationFailed for a time that is not in it."""
        now = utc_now()
        comment = Comment(f"c_{secrets.token_hex(10)}", call_id, time_s, text, author, now, now)
        with self._database.session() as session:
            _check_time(_open(CallRepository(session).lock(call_id), call_id), time_s)
            comments = CommentRepository(session)
            if comments.count(call_id) >= MOST_COMMENTS:
                raise TooManyComments(f"call {call_id} has {MOST_COMMENTS} comments")
            comments.add(comment)
        return comment

    def of_call(self, call_id: str) -> tuple[Comment, ...]:
        """All comments on the call, in order of time. Raises CallNotFound."""
        with self._database.snapshot() as session:
            found_call(CallRepository(session).get(call_id), call_id)
            return CommentRepository(session).of_call(call_id)

    def change(self, call_id: str, comment_id: str, change: CommentChange) -> Comment:
        """Raises CallNotFound, CommentNotFound, and ValidationFailed for a time that is not in the call."""
        with self._database.session() as session:
            record = found_call(CallRepository(session).lock(call_id), call_id)
            comments = CommentRepository(session)
            earlier = _known(comments.get(call_id, comment_id), comment_id)
            if change.time_s is not None:
                _check_time(record, change.time_s)
            comment = replace(
                earlier,
                time_s=earlier.time_s if change.time_s is None else change.time_s,
                text=change.text or earlier.text,
                author=earlier.author if isinstance(change.author, Keep) else change.author,
                updated_at=utc_now(),
            )
            comments.replace(comment)
            return comment

    def remove(self, call_id: str, comment_id: str) -> None:
        """Raises CallNotFound, CommentNotFound, and LegalHold where nothing of the call may be removed."""
        with self._database.session() as session:
            record = found_call(CallRepository(session).lock(call_id), call_id)
            comments = CommentRepository(session)
            _known(comments.get(call_id, comment_id), comment_id)
            refuse_if_held(record)
            comments.remove(call_id, comment_id)


def _open(record: CallRecord | None, call_id: str) -> CallRecord:
    """The call, if comments may be made on it: what they quote must go with the words."""
    known = found_call(record, call_id)
    refuse_without_words(known)
    return known


def _check_time(record: CallRecord, time_s: float) -> None:
    if record.duration_s is None:
        raise CallNotReady(f"call {record.call_id} is {record.status}: its length is not known yet")
    if not 0 <= time_s <= record.duration_s:
        message = f"must be within the recording, 0 to {record.duration_s:.3f}"
        raise ValidationFailed.of("time_seconds", message)


def _known(comment: Comment | None, comment_id: str) -> Comment:
    if comment is None:
        raise CommentNotFound(f"there is no comment {comment_id}")
    return comment
