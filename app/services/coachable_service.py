"""Finds the coachable moments of a call by the rules of a playbook."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count

from app.core.config import Settings
from app.core.exceptions import ConfigurationError, PlaybookMissing
from app.schemas.metrics import Metrics
from app.schemas.moment import Moment, MomentSource, MomentType, ObjectionSubtype, moment_id
from app.schemas.reading import Calibration, Reading
from app.schemas.sentiment import Sentiment
from app.schemas.transcript import Segment
from app.services.coachable.advice import load_advice
from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.coachable.evidence import evidence_of_span
from app.services.coachable.loader import load_playbook
from app.services.coachable.merge import Merger
from app.services.coachable.rules import Finding
from app.services.coachable.timed import find_in_time

log = logging.getLogger(__name__)

_SURE_REASON = 0.4
"""Confidence from which an objection counts as the reason given."""


class CoachableService:
    """Applies playbooks to calls; holds the one that the settings name. Safe to share between threads.

    Raises ConfigurationError when made with a file that is broken, or with a name that no file has; with
    ``may_be_stored`` such a name may be that of a stored playbook. ``calibrations``, by revision: those of
    the trained readers whose readings count.
    """

    def __init__(
        self,
        settings: Settings,
        calibrations: Mapping[str, Calibration] | None = None,
        *,
        may_be_stored: bool = False,
    ) -> None:
        self._threshold = settings.coachable_confidence_threshold
        self._calibrations = calibrations or {}
        self._merger = Merger(self._calibrations, load_advice())
        self._missing: ConfigurationError | None = None
        self._default: CompiledPlaybook | None = None
        try:
            self._default = CompiledPlaybook(load_playbook(settings.playbook, settings.playbook_dir))
        except PlaybookMissing as error:
            if not may_be_stored:
                raise
            self._missing = error
        else:
            log.info(
                "playbook.loaded",
                extra={"playbook": self.playbook_name, "revision": self.playbook_revision,
                       "rules": len(self._default.playbook.rules)},
            )  # fmt: skip

    @property
    def default(self) -> CompiledPlaybook:
        """The file that the settings name. Raises ConfigurationError where there is none."""
        if self._default is None:
            assert self._missing is not None
            raise self._missing
        return self._default

    @property
    def playbook_name(self) -> str:
        return self.default.name

    @property
    def playbook_revision(self) -> str:
        return self.default.revision

    def counts(self, reading: Reading) -> bool:
        """Whether the calibration of the reader that made it is at hand; without it, it says nothing."""
        return reading.revision in self._calibrations

    def find(
        self,
        call_id: str,
        segments: Sequence[Segment],
        language: str | None,
        metrics: Metrics | None = None,
        playbook: CompiledPlaybook | None = None,
        *,
        sentiments: Sequence[Sentiment | None] | None = None,
        readings: Sequence[Reading | None] = (),
    ) -> tuple[Moment, ...]:
        """All moments of the call in order of time; those that start together, the most confident first.

        In words: at most one for each type and subtype in a segment, the most confident one; found by rules
        and, where there are ``readings`` (one a segment), by what these say. ``language`` is an ISO 639-1
        code; None counts as English. In time, in every language: where there are ``metrics``, made of the
        same segments. ``sentiments``, one a segment, are for rules that ask for them. Ids are unique within
        the call. Without a ``playbook``, by the default one.
        """
        playbook = playbook or self.default
        found: list[Moment] = []
        by_segment = self.findings(segments, language, metrics, playbook, sentiments)
        each_read = readings or (None,) * len(segments)
        for segment, findings, reading in zip(segments, by_segment, each_read, strict=True):
            ruled = [_moment(segment, finding) for finding in findings]
            found += _best(self._merger.merge(segment, ruled, reading))
        if metrics is not None:
            found += find_in_time(playbook.timed_rules, metrics, segments)
        taken: set[str] = set()
        moments = [replace(moment, id=_free_id(call_id, moment, taken)) for moment in found]
        return tuple(sorted(moments, key=lambda moment: (moment.evidence.start_s, -moment.confidence)))

    def findings(
        self,
        segments: Sequence[Segment],
        language: str | None,
        metrics: Metrics | None = None,
        playbook: CompiledPlaybook | None = None,
        sentiments: Sequence[Sentiment | None] | None = None,
    ) -> list[list[Finding]]:
        """What the rules find in each segment, each with its confidence, before moments are made of it."""
        rules = (playbook or self.default).rules_of(language)
        if rules is None:
            return [[] for _ in segments]
        from app.services.coachable.view import CallView

        return rules.find(CallView(segments, metrics, sentiments))

    def judge(self, moments: Sequence[Moment]) -> tuple[bool, str | None]:
        """Whether a segment with these moments is coachable, and the type of the surest that makes it so."""
        sure = [moment for moment in moments if moment.confidence >= self._threshold]
        if not sure:
            return False, None
        return True, max(sure, key=lambda moment: moment.confidence).type


def _best(found: Iterable[Moment]) -> list[Moment]:
    """The surest of each type and subtype, surest first; earlier words win a tie.

    Two lines of the vocabulary hold for every playbook: stalling with a reason given is the objection alone,
    and one that prefers a competitor mentions it.
    """
    best: dict[tuple[str, str | None], Moment] = {}
    for moment in sorted(found, key=_rank):
        best.setdefault((moment.type, moment.subtype), moment)
    reasons = [moment.confidence for (type_, _), moment in best.items() if type_ == MomentType.OBJECTION]
    if any(confidence >= _SURE_REASON for confidence in reasons):
        best.pop((MomentType.HESITATION, None), None)
    rival = best.get((MomentType.OBJECTION, ObjectionSubtype.COMPETITOR))
    if rival is not None and (MomentType.COMPETITOR_MENTION, None) not in best:
        mention = replace(rival, type=MomentType.COMPETITOR_MENTION.value, subtype=None)
        best[MomentType.COMPETITOR_MENTION, None] = mention
    return sorted(best.values(), key=_rank)


def _rank(moment: Moment) -> tuple[float, int, str, str]:
    return (-moment.confidence, moment.evidence.start_char, moment.type, moment.rule)


def _moment(segment: Segment, finding: Finding) -> Moment:
    rule = finding.rule
    return Moment(
        id="",
        type=rule.type.value,
        subtype=rule.subtype.value if rule.subtype else None,
        confidence=round(finding.confidence, 4),
        source=MomentSource.RULE,
        rule=rule.id,
        why=rule.why,
        tip=rule.tip,
        segment=segment.index,
        speaker=segment.speaker,
        role=segment.role,
        evidence=evidence_of_span(segment, finding.start, finding.end),
    )


def _free_id(call_id: str, moment: Moment, taken: set[str]) -> str:
    """The moment's public id. Words at the same times (an echo in both channels, say) are told apart."""
    kind = moment.type if moment.subtype is None else f"{moment.type}/{moment.subtype}"
    for turn in count(1):
        name = kind if turn == 1 else f"{kind}#{turn}"
        identity = moment_id(call_id, name, moment.evidence.start_s, moment.evidence.end_s)
        if identity not in taken:
            break
    taken.add(identity)
    return identity
