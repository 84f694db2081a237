"""Everything that was found in a call, for its page. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.schemas.analysis import Analysis
from app.schemas.comment import Comment
from app.schemas.speaker import Role, Speaker
from app.services.call_service import StoredCall
from app.services.exports.labels import speaker_labels
from app.services.metrics.sentiment import score_segments
from app.web.call.beginning import divided, rest_of
from app.web.call.head import has_audio, has_words
from app.web.call.moments import moment_list, moments_shown
from app.web.call.numbers import numbers_of
from app.web.call.reel_actions import reel_form
from app.web.call.scale import Scale
from app.web.call.tracks import tracks_of
from app.web.call.transcript import hundredths, lost_corrections, segments_shown
from app.web.contexts.base import Choice
from app.web.contexts.call import CallRest, Review, SpeakerShown
from app.web.contexts.call_transcript import CommentShown
from app.web.contexts.frame import Frame
from app.web.formatting import spelled

_KNOWN_BY = {
    "channel": "by the channel",
    "metadata": "by what came with the call",
    "words": "by what is said",
    "manual": "set by a reviewer",
    "none": "not known",
}


def review_of(stored: StoredCall, analysis: Analysis, comments: Sequence[Comment], *, whole: bool) -> Review:
    """``whole``: with all segments and moments, however long the call is."""
    call = stored.record
    labels = speaker_labels(analysis.speakers)
    scored = score_segments(analysis.conversation)
    scores = {one.index: one.score for one in scored}
    moments = moments_shown(analysis, labels, stored.reviews)
    metrics = analysis.metrics
    rest = None if whole else rest_of(analysis, moments)
    segments = divided(analysis.segments, rest.segment)[0] if rest else analysis.segments
    return Review(
        no_speech=analysis.no_speech if has_words(call) else not analysis.speakers,
        has_sentiment=bool(scored) or (metrics is not None and metrics.sentiment.score is not None),
        tracks=tracks_of(analysis, labels, scored, moments),
        segments=segments_shown(segments, None, labels, scores, stored.corrections),
        rest=rest,
        corrections=len(stored.corrections),
        lost=lost_corrections(stored.corrections),
        moments=moment_list(
            moments,
            rest.start_s if rest else None,
            may_judge=has_words(call),
            has_audio=has_audio(call),
        ),
        numbers=numbers_of(analysis, metrics, labels) if metrics else None,
        comments=comments_shown(comments, analysis.duration_s),
        speakers=tuple(_speaker(one, analysis.speakers, labels) for one in analysis.speakers),
        reel=reel_form(analysis, has_audio=has_audio(call)),
    )


def call_rest(call_id: str, segment: int, stored: StoredCall, analysis: Analysis, frame: Frame) -> CallRest:
    """The segments from the one with this index on, and the moments from its time on."""
    labels = speaker_labels(analysis.speakers)
    scores = {one.index: one.score for one in score_segments(analysis.conversation)}
    earlier, later = divided(analysis.segments, segment)
    before = earlier[-1].segment.speaker if earlier else None
    moments = moments_shown(analysis, labels, stored.reviews)
    return CallRest(
        frame=frame,
        call_id=call_id,
        segments=segments_shown(later, before, labels, scores, stored.corrections),
        moments=tuple(one for one in moments if later and one.start_s >= later[0].segment.start_s),
        may_judge=has_words(stored.record),
        has_audio=has_audio(stored.record),
    )


def comments_shown(comments: Sequence[Comment], duration_s: float) -> tuple[CommentShown, ...]:
    scale = Scale(duration_s)
    return tuple(
        CommentShown(
            id=one.id,
            time_s=one.time_s,
            time_cs=hundredths(one.time_s),
            x=scale.place(one.time_s),
            text=one.text,
            author=one.author,
            created_at=one.created_at,
        )
        for one in comments
    )


def _speaker(speaker: Speaker, speakers: Sequence[Speaker], labels: Mapping[str, str]) -> SpeakerShown:
    return SpeakerShown(
        id=speaker.id,
        name=speaker.name,
        label=labels[speaker.id],
        role=speaker.role,
        roles=tuple(Choice(role, spelled(role), role is speaker.role) for role in Role),
        sure=speaker.role_confidence,
        known_by=_KNOWN_BY[speaker.role_source],
        channel=speaker.channel,
        others=tuple(
            Choice(other.id, labels[other.id], False) for other in speakers if other.id != speaker.id
        ),
    )
