"""What may not, or not any more, be done with a call."""

from __future__ import annotations

from app.core.exceptions import LegalHold, TextDeleted
from app.schemas.call import CallRecord


def refuse_if_held(call: CallRecord) -> None:
    """Raises LegalHold where nothing of the call may be removed."""
    if call.legal_hold:
        raise LegalHold(f"call {call.call_id} is under legal hold")


def refuse_without_words(call: CallRecord) -> None:
    """Raises TextDeleted where the words of the call were deleted."""
    if call.text_deleted_at is not None:
        raise TextDeleted(f"the words of call {call.call_id} were deleted when their time was over")
