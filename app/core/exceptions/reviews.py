"""What there is no verdict about."""

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
