"""What is known of recordings apart from their calls, and what sweeps and deletions did."""

from __future__ import annotations

from dataclasses import dataclass

from app.schemas.call import CallRecord


@dataclass(frozen=True)
class KeptRecording:
    """A stored file that a row refers to; ``is_missed``: it was not there when last looked for.

    ``call_id`` is None where it is no call's recording but made from such.
    """

    key: str
    call_id: str | None
    is_missed: bool


@dataclass(frozen=True)
class RemovedCall:
    """A call that was deleted, and the stored files that were its: its recording and its clips."""

    record: CallRecord
    file_keys: tuple[str, ...]


@dataclass(frozen=True)
class Swept:
    """How many calls a sweep took the recordings and the words from, and how many clips it removed."""

    recordings: int = 0
    texts: int = 0
    clips: int = 0


@dataclass(frozen=True)
class Reconciled:
    """What a pass over recordings and their calls found; ``ended``: the pass came to the end of both.

    ``orphans``: recordings without a call, of which ``removed`` are gone now. ``missed``: calls whose
    recording is newly found missing; ``back``: those where it is there again.
    """

    matched: int = 0
    orphans: int = 0
    removed: int = 0
    missed: int = 0
    back: int = 0
    ended: bool = True


@dataclass(frozen=True)
class CustomerDeletion:
    """How many calls of a customer were deleted, and how many stay under legal hold."""

    customer_id: str

    deleted: int
    held: int
