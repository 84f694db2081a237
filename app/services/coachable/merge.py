"""What rules found in a segment and what the trained reader made of it, put together by what each is worth.

Of each type, logit(p) = a + b logit(p of the reader) + c (confidence of the rule, else 0) + d [a rule found
it], fitted on talk that the reader had not seen. So a rule that the reader contradicts is believed less than
one that it agrees with, and the confidence means the same whoever found the moment.

The fit knows the rules of the built-in playbook. Of a rule that somebody else wrote it says nothing: such a
rule keeps the confidence that its author gave it, and gains by the reader's agreement, as two witnesses who
know nothing of each other do: 1 - (1 - rule) (1 - reader).

Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.schemas.moment import Moment, MomentSource, MomentType, may_be_said_by
from app.schemas.reading import Calibration, Reading
from app.schemas.transcript import Segment
from app.services.coachable.advice import Advice
from app.services.coachable.evidence import evidence_of_span

CLASSIFIER = "embedding"
"""What stands in a moment's ``rule`` where no rule found it."""
SURE = 0.5
"""The reader is sure of a subtype that has this much of the probability: then it may overrule a rule's."""
RULED_OUT = 0.05
_LEAST = 1e-4

Kind = tuple[str, str | None]


@dataclass(frozen=True)
class Merger:
    """``calibrations``: by the revision of the reader that they belong to."""

    calibrations: Mapping[str, Calibration]
    advice: Mapping[Kind, Advice]

    def merge(self, segment: Segment, ruled: Sequence[Moment], reading: Reading | None) -> list[Moment]:
        """Moments in words of ``segment``; ``ruled`` holds those of its rules, several of a kind at most.

        A reading that was made for another role than the speaker has by now, or by a reader whose calibration
        is not at hand, counts for nothing.
        """
        calibration = self.calibrations.get(reading.revision) if reading else None
        if reading is None or calibration is None or reading.role != segment.role:
            return list(ruled)
        case = _Case(segment, reading, calibration, self.advice)
        merged: list[Moment] = []
        for kind in reading.types:
            if may_be_said_by(segment.role, kind):
                merged += case.of_type(kind, [moment for moment in ruled if moment.type == kind])
        return merged + [moment for moment in ruled if moment.type not in reading.types]


@dataclass(frozen=True)
class _Case:
    """One segment."""

    segment: Segment
    reading: Reading
    calibration: Calibration
    advice: Mapping[Kind, Advice]

    def of_type(self, kind: str, ruled: Sequence[Moment]) -> list[Moment]:
        """Several of a kind may come back, of which the surest counts."""
        known = [moment for moment in ruled if moment.rule in self.calibration.rules]
        found = [self._witnessed(moment) for moment in ruled if moment.rule not in self.calibration.rules]
        if known:
            merged = [self._agreed(moment) for moment in known]
            if kind == MomentType.OBJECTION:
                merged = self._by_subtype(known, merged)
            found += [moment for moment in merged if moment.confidence >= self.calibration.floor]
        elif self._says(kind):
            found.append(self._read(kind))
        return found

    def _says(self, kind: str) -> bool:
        return self.reading.types[kind] >= self.calibration.thresholds[kind]

    def _read(self, kind: str) -> Moment:
        """A moment that the reader alone found."""
        subtype = self._likeliest_subtype() if kind == MomentType.OBJECTION else None
        advice = self.advice[kind, subtype]
        start, end = self.reading.clauses.get(kind) or _whole(self.segment.text)
        return Moment(
            id="",
            type=kind,
            subtype=subtype,
            confidence=round(self._chance(kind, None), 4),
            source=MomentSource.CLASSIFIER,
            rule=CLASSIFIER,
            why=advice.why,
            tip=advice.tip,
            segment=self.segment.index,
            speaker=self.segment.speaker,
            role=self.segment.role,
            evidence=evidence_of_span(self.segment, start, end),
        )

    def _agreed(self, moment: Moment) -> Moment:
        """What a rule found whose worth is known, by what the reader says to it."""
        confidence = self._chance(moment.type, moment.confidence)
        return replace(moment, confidence=round(confidence, 4), source=self._source(moment.type))

    def _witnessed(self, moment: Moment) -> Moment:
        """What a rule found of whose worth its author alone has said something."""
        confidence = moment.confidence
        if self._says(moment.type):
            confidence = 1 - (1 - confidence) * (1 - self._chance(moment.type, None))
        return replace(moment, confidence=round(confidence, 4), source=self._source(moment.type))

    def _source(self, kind: str) -> MomentSource:
        return MomentSource.BOTH if self._says(kind) else MomentSource.RULE

    def _chance(self, kind: str, rule_confidence: float | None) -> float:
        weights = self.calibration.weights[kind]
        logit = weights.a + weights.b * _logit(self.reading.types[kind])
        if rule_confidence is not None:
            logit += weights.c * rule_confidence + weights.d
        return 1 / (1 + math.exp(-min(max(logit, -30.0), 30.0)))

    def _by_subtype(self, known: Sequence[Moment], merged: Sequence[Moment]) -> list[Moment]:
        """Objections, that of the likeliest subtype first and surest.

        A subtype's score is the reader's probability and the rule's confidence added up; one that no rule
        named counts where the reader is sure of it. The others keep the share of their score, but those that
        the reader, where it says that there is an objection, all but rules out.
        """
        chances, says = self.reading.subtypes, self._says(MomentType.OBJECTION)
        by_rule: dict[str, Moment] = {}
        scores: dict[str, float] = {}
        for rule, moment in sorted(zip(known, merged, strict=True), key=lambda pair: -pair[0].confidence):
            subtype = moment.subtype or ""
            by_rule.setdefault(subtype, moment)
            scores.setdefault(subtype, rule.confidence + (chances.get(subtype, 0.0) if says else 0.0))
        likeliest = self._likeliest_subtype()
        if says and chances[likeliest] >= SURE:
            scores.setdefault(likeliest, chances[likeliest])
        first = max(scores, key=lambda subtype: scores[subtype])
        surest = max(by_rule.values(), key=lambda moment: moment.confidence)
        found = by_rule.pop(first, None) or replace(
            self._read(MomentType.OBJECTION), source=MomentSource.BOTH, rule=surest.rule
        )
        others = [
            replace(moment, confidence=round(moment.confidence * scores[subtype] / scores[first], 4))
            for subtype, moment in by_rule.items()
            if not says or chances.get(subtype, 0.0) >= RULED_OUT
        ]
        return [replace(found, confidence=surest.confidence), *others]

    def _likeliest_subtype(self) -> str:
        return max(self.reading.subtypes, key=lambda subtype: self.reading.subtypes[subtype])


def _whole(text: str) -> tuple[int, int]:
    return 0, len(text)


def _logit(chance: float) -> float:
    bounded = min(max(chance, _LEAST), 1 - _LEAST)
    return math.log(bounded / (1 - bounded))
