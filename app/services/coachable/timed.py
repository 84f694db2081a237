"""The moments of a call that are found in time, by the rules of a playbook. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from app.schemas.metrics import Metrics
from app.schemas.moment import Moment, MomentSource
from app.schemas.speaker import Role
from app.schemas.transcript import Segment
from app.services.coachable.detectors.base import TimedFinding
from app.services.coachable.evidence import evidence_in_time
from app.services.coachable.playbook import TimedRule

GUESSED_FACTOR = 0.45
"""Who speaks at once on one channel is a guess: such a moment is shown, but by itself makes no segment
coachable at the usual threshold of 0.5, however sure its rule is."""


def find_in_time(rules: Iterable[TimedRule], metrics: Metrics, segments: Sequence[Segment]) -> list[Moment]:
    """Moments without ids, in the order of the rules: of each type at most one for a speaker and a span.

    A rule about the agent or the customer holds only for speakers who are known to be one.
    """
    places = _Places(segments)
    found: dict[tuple[str, str | None, float, float], Moment] = {}
    for rule in rules:
        for finding in rule.condition.detector.find(metrics):
            role = metrics.role_of(finding.speaker) if finding.speaker else Role.UNKNOWN
            if rule.role in (role, "anyone"):
                moment = _moment(rule, finding, role, places)
                span = (moment.type, moment.speaker, finding.start_s, finding.end_s)
                if moment.confidence > found.get(span, moment).confidence or span not in found:
                    found[span] = moment
    return list(found.values())


def _moment(rule: TimedRule, finding: TimedFinding, role: Role, places: _Places) -> Moment:
    segment = places.find(finding.speaker, finding.at_s) if finding.speaker else None
    return Moment(
        id="",
        type=rule.type.value,
        subtype=None,
        confidence=round(rule.confidence * (1.0 if finding.reliable else GUESSED_FACTOR), 4),
        source=MomentSource.RULE,
        rule=rule.id,
        why=rule.why,
        tip=rule.tip,
        segment=segment.index if segment else None,
        speaker=finding.speaker,
        role=role.value,
        evidence=evidence_in_time(segment, finding.start_s, finding.end_s),
    )


class _Places:
    """Finds in logarithmic time the segment in which a speaker speaks."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments: dict[str, list[Segment]] = {}
        for segment in sorted(segments, key=lambda segment: (segment.start_s, segment.index)):
            self._segments.setdefault(segment.speaker, []).append(segment)

    def find(self, speaker: str, time_s: float) -> Segment:
        """The speaker's segment that holds ``time_s`` (known to the millisecond), else the next one."""
        own = self._segments[speaker]
        place = max(bisect_right(own, time_s + 0.001, key=lambda segment: segment.start_s) - 1, 0)
        return own[place + 1] if own[place].end_s < time_s and place + 1 < len(own) else own[place]
