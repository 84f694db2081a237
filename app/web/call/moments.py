"""Moments for the page of their call, each with the verdict on it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from app.schemas.analysis import Analysis
from app.schemas.moment import Moment, MomentSource, MomentType, ObjectionSubtype, TimedMomentType
from app.schemas.review import MomentReview, Verdict
from app.schemas.review_models import LONGEST_NOTE
from app.web.call.transcript import hundredths
from app.web.contexts.base import Choice
from app.web.contexts.call_moments import MomentList, MomentShown, ReviewForm, VerdictShown
from app.web.contexts.calls import MomentCount
from app.web.formatting import spelled

_TIMED = frozenset(TimedMomentType)
_SOURCES = {
    MomentSource.RULE.value: "a rule",
    MomentSource.CLASSIFIER.value: "the classifier",
    MomentSource.BOTH.value: "a rule and the classifier",
}
_VERDICTS = {Verdict.RIGHT: "Right", Verdict.WRONG: "Wrong", Verdict.OTHER: "Another type"}


def moments_shown(
    analysis: Analysis, labels: Mapping[str, str], reviews: Sequence[MomentReview]
) -> tuple[MomentShown, ...]:
    """In order of time, numbered from 1."""
    verdicts = {review.moment_id: review for review in reviews}
    return tuple(
        _shown(number, moment, analysis, labels, verdicts.get(moment.id))
        for number, moment in enumerate(analysis.moments, start=1)
    )


def moment_list(
    moments: tuple[MomentShown, ...], end_s: float | None, *, may_judge: bool, has_audio: bool
) -> MomentList:
    """``end_s``: those from then on are counted alone; None: all are in the list."""
    counted = Counter(moment.kind for moment in moments)
    kinds = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return MomentList(
        moments=moments if end_s is None else tuple(one for one in moments if one.start_s < end_s),
        count=len(moments),
        kinds=tuple(MomentCount(kind, count) for kind, count in kinds),
        judged=sum(moment.verdict is not None for moment in moments),
        may_judge=may_judge,
        has_audio=has_audio,
    )


def review_form(moment: MomentShown) -> ReviewForm:
    given = moment.verdict
    kind = given.kind if given else None
    subtype = given.subtype if given else None
    chosen = given.verdict if given else Verdict.OTHER.value
    return ReviewForm(
        moment=moment,
        kinds=tuple(Choice(one, spelled(one), one == kind) for one in (*MomentType, *TimedMomentType)),
        subtypes=tuple(Choice(one, spelled(one), one == subtype) for one in ObjectionSubtype),
        verdicts=tuple(Choice(one.value, label, one.value == chosen) for one, label in _VERDICTS.items()),
        longest_note=LONGEST_NOTE,
    )


def _shown(
    number: int,
    moment: Moment,
    analysis: Analysis,
    labels: Mapping[str, str],
    review: MomentReview | None,
) -> MomentShown:
    evidence = moment.evidence
    return MomentShown(
        id=moment.id,
        number=number,
        kind=moment.type,
        subtype=moment.subtype,
        is_timed=moment.type in _TIMED,
        confidence=moment.confidence,
        role=moment.role,
        speaker=moment.speaker,
        label=labels.get(moment.speaker) if moment.speaker else None,
        segment=moment.segment,
        start_s=evidence.start_s,
        end_s=evidence.end_s,
        start_cs=hundredths(evidence.start_s),
        end_cs=hundredths(evidence.end_s),
        evidence=evidence.text,
        why=moment.why,
        tip=moment.tip,
        source=_SOURCES.get(moment.source, moment.source),
        rule=None if moment.source == MomentSource.CLASSIFIER else moment.rule,
        playbook=analysis.playbook,
        revision=analysis.playbook_revision,
        verdict=_verdict(review) if review else None,
    )


def _verdict(review: MomentReview) -> VerdictShown:
    said = review.opinion
    return VerdictShown(said.verdict.value, said.correct_type, said.correct_subtype, said.note)
