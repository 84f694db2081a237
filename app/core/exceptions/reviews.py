"""What a reviewer names and is not there, or is more than there may be."""

from __future__ import annotations

from app.core.exceptions.base import InputError


class MomentNotFound(InputError):
    code = "moment_not_found"
    status = 404
    title = "The call's result has no such moment"


class ReviewNotFound(InputError):
    code = "review_not_found"
    status = 404
    title = "There is no verdict on this moment"


class CommentNotFound(InputError):
    code = "comment_not_found"
    status = 404
    title = "The call has no such comment"


class TooManyComments(InputError):
    code = "too_many_comments"
    status = 409
    title = "The call has as many comments as there may be"


class SegmentNotFound(InputError):
    code = "segment_not_found"
    status = 404
    title = "The call's result has no such segment"


class CorrectionNotFound(InputError):
    code = "correction_not_found"
    status = 404
    title = "There is no such correction of the call's text"
