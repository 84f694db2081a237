"""What a draft finds in a call against what the current revision finds. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from app.schemas.moment import Moment, TimedMomentType
from app.schemas.trial import Hit, Trial

_IN_TIME = frozenset(TimedMomentType)


def note_call(
    trial: Trial,
    call_id: str | None,
    by_draft: Sequence[Moment],
    by_current: Sequence[Moment],
    *,
    is_timed: bool = True,
) -> None:
    """Add one call to ``trial``."""
    known, wanted = ({_identity(moment) for moment in found} for found in (by_current, by_draft))
    for moment in by_draft:
        hit = Hit(call_id, moment, is_timed)
        trial.draft_rules[moment.rule] += 1
        trial.found.add(hit)
        if _identity(moment) not in known:
            trial.only_draft.add(hit)
    for moment in by_current:
        trial.current_rules[moment.rule] += 1
        if _identity(moment) not in wanted:
            trial.only_current.add(Hit(call_id, moment, is_timed))
    trial.tried += 1


def _identity(moment: Moment) -> Hashable:
    """What makes two moments of a call the same, whichever rule finds them on whichever words: the segment,
    the type and the subtype, which a segment has once; in time, where several may be, the start as well."""
    starts_s = round(moment.evidence.start_s, 2) if moment.type in _IN_TIME else None
    return moment.segment, moment.type, moment.subtype, starts_s
