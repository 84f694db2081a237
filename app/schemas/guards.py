"""What may not, or not any more, be done with a call, and what is not there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from app.core.exceptions import CallNotFound, LegalHold, MomentNotFound, TextDeleted
from app.schemas.call import CallRecord
from app.schemas.moment import Moment

OfCall = TypeVar("OfCall")


def found_call(call: OfCall | None, call_id: str) -> OfCall:
    """The call, or what was read of it. Raises CallNotFound where there is none of this id."""
    if call is None:
        raise CallNotFound(f"there is no call {call_id}")
    return call


def found_moment(moments: Iterable[Moment], call_id: str, moment_id: str) -> Moment:
    """The moment with this public id. Raises MomentNotFound."""
    found = next((moment for moment in moments if moment.id == moment_id), None)
    if found is None:
        raise MomentNotFound(f"the result of call {call_id} has no moment {moment_id}")
    return found


def refuse_if_held(call: CallRecord) -> None:
    """Raises LegalHold where nothing of the call may be removed."""
    if call.legal_hold:
        raise LegalHold(f"call {call.call_id} is under legal hold")


def refuse_without_words(call: CallRecord) -> None:
    """Raises TextDeleted where the words of the call were deleted."""
    if call.text_deleted_at is not None:
        raise TextDeleted(f"the words of call {call.call_id} were deleted when their time was over")
