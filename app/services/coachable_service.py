"""Finds the coachable moments of a call by the rules of a playbook."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from threading import Lock

from app.core.config import Settings
from app.schemas.metrics import Metrics
from app.schemas.moment import Moment, MomentSource, MomentType, ObjectionSubtype, moment_id
from app.schemas.reading import Calibration, Reading
from app.schemas.transcript import Segment
from app.services.coachable.advice import load_advice
from app.services.coachable.evidence import evidence_of_span
from app.services.coachable.loader import load_playbook
from app.services.coachable.merge import Merger
from app.services.coachable.rules import Finding, RuleSet
from app.services.coachable.timed import find_in_time
from app.services.coachable.tokens import Tokens, tokenise

log = logging.getLogger(__name__)

_DEFAULT_LANGUAGE = "en"
_SURE_REASON = 0.4
"""Confidence from which an objection counts as the reason given."""


class CoachableService:
    """Holds one compiled playbook. Safe to share between threads.

    ``calibrations``, by revision: those of the trained readers whose readings count.

    Raises ConfigurationError when made with a playbook that is missing or broken.
    """

    def __init__(self, settings: Settings, calibrations: Mapping[str, Calibration] | None = None) -> None:
        self._threshold = settings.coachable_confidence_threshold
        self._calibrations = calibrations or {}
        self._merger = Merger(self._calibrations, load_advice())
        self._playbook = load_playbook(settings.playbook, settings.playbook_dir)
        self._languages = {language for rule in self._playbook.words_rules for language in rule.languages}
        self._rules: dict[str, RuleSet] = {}
        self._compiling = Lock()
        log.info(
            "playbook.loaded",
            extra={"playbook": self.playbook_name, "revision": self.playbook_revision,
                   "rules": len(self._playbook.rules)},
        )  # fmt: skip

    @property
    def playbook_name(self) -> str:
        return self._playbook.name

    @property
    def playbook_revision(self) -> str:
        return self._playbook.revision

    def counts(self, reading: Reading) -> bool:
        """Whether the calibration of the reader that made it is at hand; without it, it says nothing."""
        return reading.revision in self._calibrations

    def find(
        self,
        call_id: str,
        segments: Sequence[Segment],
        language: str | None,
        metrics: Metrics | None = None,
        *,
        readings: Sequence[Reading | None] = (),
    ) -> tuple[Moment, ...]:
        """All moments of the call in order of time; those that start together, the most confident first.

        In words: at most one for each type and subtype in a segment, the most confident one; found by rules
        and, where there are ``readings`` (one for each segment), by what these say. ``language`` is an ISO
        639-1 code; None counts as English. In time, in every language: where there are ``metrics``,
        made of the same segments. Ids are unique within the call.
        """
        found: list[Moment] = []
        rules = self._rules_of((language or _DEFAULT_LANGUAGE).lower().partition("-")[0])
        for segment, reading in zip(segments, readings or (None,) * len(segments), strict=True):
            ruled = _moments_in_words(segment, rules) if rules is not None else []
            found += _best(self._merger.merge(segment, ruled, reading))
        if metrics is not None:
            found += find_in_time(self._playbook.timed_rules, metrics, segments)
        taken: set[str] = set()
        moments = [replace(moment, id=_free_id(call_id, moment, taken)) for moment in found]
        return tuple(sorted(moments, key=lambda moment: (moment.evidence.start_s, -moment.confidence)))

    def _rules_of(self, language: str) -> RuleSet | None:
        """Compiled when a call first needs them: every phrase was read at the start, which must be quick."""
        if language not in self._languages:
            return None
        with self._compiling:
            if language not in self._rules:
                self._rules[language] = RuleSet(self._playbook, language)
            return self._rules[language]

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


def _moments_in_words(segment: Segment, rules: RuleSet) -> list[Moment]:
    tokens = tokenise(segment.text)
    return [_moment(segment, tokens, finding) for finding in rules.find(tokens, segment.role)]


def _moment(segment: Segment, tokens: Tokens, finding: Finding) -> Moment:
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
        evidence=evidence_of_span(segment, tokens.starts[finding.first], tokens.ends[finding.last]),
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
