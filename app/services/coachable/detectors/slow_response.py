"""Finds questions that were left hanging before they were answered."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

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
        speech = {party.speaker: party.speech for party in metrics.parties}
        for (start_s, speaker), question in _answered(metrics.questions, speech).items():
            asked_on_s = _talk_s(speech[question.speaker], question.end_s, start_s)
            waited_s = round(start_s - question.end_s - asked_on_s, 3)
            sides = metrics.role_of(question.speaker), metrics.role_of(speaker)
            if waited_s > self.longer_than_s and asked_on_s < _MOVED_ON_S and _differ(*sides):
                yield TimedFinding(question.end_s, start_s, speaker, at_s=start_s)


def _answered(
    questions: Iterable[Question], speech: Mapping[str, Sequence[Span]]
) -> dict[tuple[float, str], Question]:
    """When and by whom somebody else speaks after a question, with the last question before that."""
    answered: dict[tuple[float, str], Question] = {}
    for question in sorted(questions, key=lambda question: question.end_s):
        answers = [
            (start_s, speaker)
            for speaker, spans in speech.items()
            if speaker != question.speaker and (start_s := _speaks_from(spans, question.end_s)) is not None
        ]
        if answers:
            answered[min(answers)] = question
    return answered


def _speaks_from(spans: Sequence[Span], time_s: float) -> float | None:
    """When the first of ``spans`` (in order, apart) that ends after ``time_s`` starts."""
    first = bisect_right(spans, time_s, key=lambda span: span.end_s)
    return spans[first].start_s if first < len(spans) else None


def _talk_s(spans: Sequence[Span], start_s: float, end_s: float) -> float:
    """How much of the time from ``start_s`` to ``end_s`` the ``spans`` cover."""
    first = bisect_left(spans, start_s, key=lambda span: span.end_s)
    last = bisect_left(spans, end_s, key=lambda span: span.start_s)
    return sum(min(span.end_s, end_s) - max(span.start_s, start_s) for span in spans[first:last])


def _differ(asker: Role, answerer: Role) -> bool:
    """Whether they are on different sides; while nobody's role is known, any two are taken to be."""
    if Role.UNKNOWN in (asker, answerer):
        return asker == answerer
    return asker != answerer
