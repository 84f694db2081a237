"""Finds the coachable moments of a call by the rules of a playbook."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count
from threading import Lock

from app.core.config import Settings
from app.schemas.moment import Evidence, Moment, MomentType, ObjectionSubtype, moment_id
from app.schemas.transcript import Segment, Word
from app.services.coachable.loader import load_playbook
from app.services.coachable.rules import Finding, RuleSet
from app.services.coachable.tokens import Tokens, tokenise

log = logging.getLogger(__name__)

_DEFAULT_LANGUAGE = "en"


class CoachableService:
    """Holds one compiled playbook. Safe to share between threads.

    Raises ConfigurationError when made with a playbook that is missing or broken.
    """

    def __init__(self, settings: Settings) -> None:
        self._threshold = settings.coachable_confidence_threshold
        self._playbook = load_playbook(settings.playbook, settings.playbook_dir)
        self._languages = {language for rule in self._playbook.rules for language in rule.languages}
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

    def find(
        self, call_id: str, segments: Sequence[Segment], language: str | None
    ) -> dict[int, tuple[Moment, ...]]:
        """The moments of each segment that has any, by its index, the most confident first.

        At most one moment for each type and subtype in a segment: the most confident one. ``language`` is
        an ISO 639-1 code; None counts as English. Ids are unique within the call.
        """
        rules = self._rules_of((language or _DEFAULT_LANGUAGE).lower().partition("-")[0])
        if rules is None:
            return {}
        moments: dict[int, tuple[Moment, ...]] = {}
        taken: set[str] = set()
        for segment in segments:
            tokens = tokenise(segment.text)
            found = [_moment(segment, tokens, finding) for finding in rules.find(tokens, segment.role)]
            if found:
                moments[segment.index] = tuple(
                    replace(moment, id=_free_id(call_id, moment, taken)) for moment in _best(found)
                )
        return moments

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
    if any(type_ == MomentType.OBJECTION for type_, _ in best):
        best.pop((MomentType.HESITATION, None), None)
    rival = best.get((MomentType.OBJECTION, ObjectionSubtype.COMPETITOR))
    if rival is not None and (MomentType.COMPETITOR_MENTION, None) not in best:
        mention = replace(rival, type=MomentType.COMPETITOR_MENTION.value, subtype=None)
        best[MomentType.COMPETITOR_MENTION, None] = mention
    return sorted(best.values(), key=_rank)


def _rank(moment: Moment) -> tuple[float, int, str, str]:
    return (-moment.confidence, moment.evidence.start_char, moment.type, moment.rule)


def _moment(segment: Segment, tokens: Tokens, finding: Finding) -> Moment:
    rule = finding.rule
    return Moment(
        id="",
        type=rule.type.value,
        subtype=rule.subtype.value if rule.subtype else None,
        confidence=round(finding.confidence, 4),
        source="rule",
        rule=rule.id,
        why=rule.why,
        tip=rule.tip,
        segment=segment.index,
        speaker=segment.speaker,
        role=segment.role,
        evidence=_evidence(segment, tokens.starts[finding.first], tokens.ends[finding.last]),
    )


def _evidence(segment: Segment, start: int, end: int) -> Evidence:
    """The characters ``start`` to ``end`` of the segment's text, and the words that they lie in."""
    begins = _word_starts(segment.words)
    first = bisect_right(begins, start) - 1
    last = bisect_right(begins, end - 1) - 1
    return Evidence(
        text=segment.text[start:end],
        start_char=start,
        end_char=end,
        start_s=segment.words[first].start_s,
        end_s=segment.words[last].end_s,
        first_word=first,
        last_word=last,
    )


def _word_starts(words: Sequence[Word]) -> list[int]:
    """Where each word begins in the joined text; what stands before the text begins at or before 0."""
    joined = "".join(f" {word.text}" if word.space_before else word.text for word in words)
    place = len(joined.lstrip()) - len(joined)
    starts = []
    for word in words:
        place += word.space_before
        starts.append(place)
        place += len(word.text)
    return starts


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
