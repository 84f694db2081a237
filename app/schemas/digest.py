"""A call without its words: what tables and overviews are made from."""

from __future__ import annotations

from dataclasses import dataclass

from app.schemas.call import CallRecord
from app.schemas.metrics import Metrics
from app.schemas.moment import Moment
from app.schemas.speaker import Speaker


@dataclass(frozen=True)
class CallDigest:
    """A call and what its current analysis found; empty and None where there is none.

    ``moments`` are in order of time.
    """

    call: CallRecord
    language: str | None = None
    degraded: bool = False
    engines: dict[str, str] | None = None
    speakers: tuple[Speaker, ...] = ()
    metrics: Metrics | None = None
    moments: tuple[Moment, ...] = ()
