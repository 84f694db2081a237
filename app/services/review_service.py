"""Reviewers' verdicts on moments: passed, taken back, listed, and told to whoever trains on them."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.clock import utc_now
from app.core.exceptions import CallNotReady, ReviewNotFound, ValidationFailed
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import ResultRepository
from app.db.repositories.reviews import ReviewRepository
from app.db.session import Database
from app.schemas.analysis import Analysis
from app.schemas.guards import found_call, found_moment, refuse_without_words
from app.schemas.moment import Moment, MomentType
from app.schemas.review import FoundMoment, MomentReview, Opinion, SegmentReviewed, Verdict, label_of
from app.services.coachable_service import CoachableService
from app.services.utterances import utterances_of

CALLS_AT_A_TIME = 50
_IN_WORDS = frozenset(type_.value for type_ in MomentType)


class ReviewService:
    """Verdicts stay under the call when it is analysed again: a moment that is found again shows its own.

    Thread-safe; each method is one transaction.
    """

    def __init__(self, database: Database, coachable: CoachableService) -> None:
        self._database = database
        self._coachable = coachable

    def review(self, call_id: str, moment_id: str, opinion: Opinion) -> tuple[MomentReview, bool]:
        """Keep a verdict on a moment of the present result; True where it is the first on this moment.

        Raises CallNotFound, CallNotReady, TextDeleted, MomentNotFound, and ValidationFailed where the
        moment is to be of the type that it was found to be.
        """
        with self._database.session() as session:
            record = found_call(CallRepository(session).lock(call_id), call_id)
            refuse_without_words(record)
            analysis = ResultRepository(session).current(call_id)
            if analysis is None:
                raise CallNotReady(f"call {call_id} is {record.status}")
            moment = found_moment(analysis.moments, call_id, moment_id)
            _refuse_same_type(moment, opinion)
            kept = MomentReview(
                call_id,
                moment_id,
                opinion,
                _found(moment, analysis),
                analysis.language,
                self._segment_of(moment, analysis),
                utc_now(),
            )
            return kept, ReviewRepository(session).put(kept)

    def withdraw(self, call_id: str, moment_id: str) -> None:
        """Take a verdict back. Raises CallNotFound and ReviewNotFound."""
        with self._database.session() as session:
            found_call(CallRepository(session).lock(call_id), call_id)
            if not ReviewRepository(session).remove(call_id, moment_id):
                raise ReviewNotFound(f"there is no verdict on moment {moment_id} of call {call_id}")

    def of_call(self, call_id: str) -> tuple[tuple[MomentReview, bool], ...]:
        """Every verdict on a moment of the call, and whether the present result holds that moment.

        Raises CallNotFound.
        """
        with self._database.snapshot() as session:
            found_call(CallRepository(session).get(call_id), call_id)
            reviews = ReviewRepository(session).of_call(call_id)
            there = ResultRepository(session).current_moments(call_id) if reviews else frozenset()
            return tuple((review, review.moment_id in there) for review in reviews)

    def with_words(self) -> Iterator[tuple[MomentReview, ...]]:
        """The verdicts of each call whose words are kept; a few calls in memory at a time."""
        after = None
        while True:
            with self._database.snapshot() as session:
                reviews = ReviewRepository(session)
                call_ids = reviews.reviewed_calls(after, CALLS_AT_A_TIME)
                found = [reviews.of_call(call_id) for call_id in call_ids]
            yield from found
            if len(call_ids) < CALLS_AT_A_TIME:
                return
            after = call_ids[-1]

    def _segment_of(self, moment: Moment, analysis: Analysis) -> SegmentReviewed | None:
        if moment.segment is None:
            return None
        parts = analysis.segments
        place = next(place for place, part in enumerate(parts) if part.segment.index == moment.segment)
        here, said = parts[place], utterances_of([part.segment for part in parts])[place]
        # The reviewed one is a label whatever its confidence: the verdict tells what becomes of it.
        found = [
            other for other in here.moments if other.id == moment.id or self._coachable.judge([other])[0]
        ]
        labels = dict.fromkeys(label_of(other.type, other.subtype) for other in found if _is_in_words(other))
        return SegmentReviewed(
            text=said.text,
            role=said.role,
            labels=tuple(labels),
            before=said.before,
        )


def _found(moment: Moment, analysis: Analysis) -> FoundMoment:
    evidence = moment.evidence
    return FoundMoment(
        type=moment.type,
        subtype=moment.subtype,
        confidence=moment.confidence,
        source=moment.source,
        rule=moment.rule,
        playbook=analysis.playbook,
        revision=analysis.playbook_revision,
        role=moment.role,
        evidence=evidence.text,
        start_char=evidence.start_char,
        end_char=evidence.end_char,
        start_s=evidence.start_s,
        end_s=evidence.end_s,
    )


def _refuse_same_type(moment: Moment, opinion: Opinion) -> None:
    if opinion.verdict is Verdict.OTHER and (moment.type, moment.subtype) == (
        opinion.correct_type,
        opinion.correct_subtype,
    ):
        message = "is what the moment was found to be: the verdict on that is right"
        raise ValidationFailed.of("type", message)


def _is_in_words(moment: Moment) -> bool:
    return moment.type in _IN_WORDS
