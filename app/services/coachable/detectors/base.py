"""The port of a detector: a signal in the course of a call, with the thresholds that a playbook sets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from app.schemas.metrics import Metrics
from app.services.coachable.part import Part


@dataclass(frozen=True)
class TimedFinding:
    """The signal is there from ``start_s`` to ``end_s``; ``speaker`` is whom it is about, None the call.

    ``at_s`` is where the speaker's own words begin, for the segment it sits on. ``reliable``: False where
    the recording lets it only be guessed.
    """

    start_s: float
    end_s: float
    speaker: str | None
    at_s: float
    reliable: bool = True


class Detector(Part):
    """Thresholds as fields, each with its default; stateless, pure."""

    @abstractmethod
    def find(self, metrics: Metrics) -> Iterable[TimedFinding]:
        """Every place at which the signal is there, whoever it is about; which role counts is the rule's."""
