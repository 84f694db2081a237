"""Verdicts as labelled lines, in the form of ``training/moments/talk``. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from app.schemas.moment import MomentType, ObjectionSubtype
from app.schemas.review import MomentReview, SegmentReviewed, Verdict, label_of

LABELS = frozenset(
    {
        *(type_.value for type_ in MomentType if type_ is not MomentType.OBJECTION),
        *(label_of(MomentType.OBJECTION.value, subtype.value) for subtype in ObjectionSubtype),
    }
)
INDUSTRY = "reviewed"
_MENTION = MomentType.COMPETITOR_MENTION.value
_PREFERS_ANOTHER = label_of(MomentType.OBJECTION.value, ObjectionSubtype.COMPETITOR.value)
_MARKS = frozenset(".,;:?!¿¡।")


def lines_of(reviews: Iterable[MomentReview]) -> Iterator[dict[str, Any]]:
    """One line a segment, of the verdicts on one call.

    Its labels are those that it was found to have, as the verdicts correct them. ``sentiment`` is null: no
    reviewer judged it. Verdicts that say nothing about words (on dead air, on an objection without a
    subtype) give no line.
    """
    by_segment: dict[SegmentReviewed, list[MomentReview]] = {}
    for review in sorted(reviews, key=lambda review: review.reviewed_at):
        if review.segment is not None and _tells(review):
            # The labels are those of the latest look at the segment.
            place = next((key for key in by_segment if _is_same(key, review.segment)), review.segment)
            by_segment[review.segment] = [*by_segment.pop(place, []), review]
    for segment, verdicts in by_segment.items():
        yield _line(segment, verdicts)


def _line(segment: SegmentReviewed, reviews: list[MomentReview]) -> dict[str, Any]:
    labels = [label for label in segment.labels if label in LABELS]
    labels = [label for label in labels if label not in {_found(review) for review in reviews}]
    labels = list(dict.fromkeys([*labels, *(label for review in reviews for label in _said(review))]))
    if _PREFERS_ANOTHER in labels and _MENTION not in labels:
        labels.append(_MENTION)
    before = segment.before
    language = reviews[-1].language
    return {
        "text": segment.text,
        "role": segment.role,
        "before": before and {"role": before.role, "text": before.text},
        "moments": labels,
        "sentiment": None,
        "style": "raw" if _is_raw(segment.text) else "written",
        "industry": INDUSTRY,
        **({"language": language} if language not in (None, "en") else {}),
    }


def _tells(review: MomentReview) -> bool:
    """Whether the verdict is about words: it takes a label away, keeps one or gives one."""
    return _found(review) in LABELS or any(_said(review))


def _found(review: MomentReview) -> str:
    return label_of(review.moment.type, review.moment.subtype)


def _said(review: MomentReview) -> tuple[str, ...]:
    """The labels that the verdict gives."""
    opinion = review.opinion
    if opinion.verdict is Verdict.OTHER and opinion.correct_type is not None:
        said = label_of(opinion.correct_type, opinion.correct_subtype)
    else:
        said = _found(review) if opinion.verdict is Verdict.RIGHT else ""
    return (said,) if said in LABELS else ()


def _is_same(one: SegmentReviewed, other: SegmentReviewed) -> bool:
    return (one.text, one.role, one.before) == (other.text, other.role, other.before)


def _is_raw(text: str) -> bool:
    """As a recogniser gives it: lower case, without marks."""
    return text == text.lower() and not _MARKS & set(text)
