"""Finds questions that were left hanging before they were answered."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from pydantic import Field

from app.schemas.audio import Span
from app.schemas.metrics import Metrics, Question
from app.schemas.speaker import Role
from app.services.coachable.detectors.base import Detector, TimedFinding

_MOVED_ON_S = 2.0


class SlowResponse(Detector):
    """A party starts more than ``longer_than_s`` after the end of the other side's question.

    Time in which the asker speaks on is not waited; one who speaks on for 2 s has moved on. Nor is anybody
    slow who speaks already as the question ends.
    """

    longer_than_s: float = Field(3.0, gt=0)

    def find(self, metrics: Metrics) -> Iterator[TimedFinding]:
        parties = {party.speaker: party for party in metrics.parties}
        for (start_s, speaker), question in _answered(metrics).items():
            asked_on_s = parties[question.speaker].talk_within_s(question.end_s, start_s)
            waited_s = round(start_s - question.end_s - asked_on_s, 3)
            sides = parties[question.speaker].role, parties[speaker].role
            if waited_s > self.longer_than_s and asked_on_s < _MOVED_ON_S and _differ(*sides):
                yield TimedFinding(question.end_s, start_s, speaker, at_s=start_s)


def _answered(metrics: Metrics) -> dict[tuple[float, str], Question]:
    """When and by whom somebody else speaks after a question, with the last question before that."""
    answered: dict[tuple[float, str], Question] = {}
    for question in sorted(metrics.questions, key=lambda question: question.end_s):
        answers = [
            (start_s, party.speaker)
            for party in metrics.parties
            if party.speaker != question.speaker
            and (start_s := _speaks_from(party.speech, question.end_s)) is not None
        ]
        if answers:
            answered[min(answers)] = question
    return answered


def _speaks_from(spans: Sequence[Span], time_s: float) -> float | None:
    """When the first of ``spans`` (in order, apart) that ends after ``time_s`` starts."""
    first = bisect_right(spans, time_s, key=lambda span: span.end_s)
    return spans[first].start_s if first < len(spans) else None


def _differ(asker: Role, answerer: Role) -> bool:
    """Whether they are on different sides; while nobody's role is known, any two are taken to be."""
    if Role.UNKNOWN in (asker, answerer):
        return asker == answerer
    return asker != answerer
