"""Everything that was found in a call, for its page. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.schemas.analysis import Analysis
from app.schemas.comment import Comment
from app.schemas.correction import CorrectText
from app.schemas.speaker import Role, Speaker
from app.services.call_service import StoredCall
from app.services.exports.labels import speaker_labels
from app.services.metrics.sentiment import score_segments
from app.web.call.head import has_audio, has_words
from app.web.call.moments import moment_list, moments_shown
from app.web.call.numbers import numbers_of
from app.web.call.reel_actions import reel_form
from app.web.call.scale import Scale
from app.web.call.tracks import tracks_of
from app.web.call.transcript import hundredths, lost_corrections, segments_shown
from app.web.contexts.base import Choice
from app.web.contexts.call import Review, SpeakerShown
from app.web.contexts.call_transcript import CommentShown
from app.web.formatting import spelled

_KNOWN_BY = {
    "channel": "by the channel",
    "metadata": "by what came with the call",
    "words": "by what is said",
    "manual": "set by a reviewer",
    "none": "not known",
}


def review_of(
    stored: StoredCall, analysis: Analysis, corrections: Sequence[CorrectText], comments: Sequence[Comment]
) -> Review:
    call = stored.record
    labels = speaker_labels(analysis.speakers)
    scored = score_segments(analysis.conversation)
    scores = {one.index: one.score for one in scored}
    moments = moments_shown(analysis, labels, stored.reviews)
    metrics = analysis.metrics
    return Review(
        no_speech=analysis.no_speech if has_words(call) else not analysis.speakers,
        has_sentiment=bool(scored) or (metrics is not None and metrics.sentiment.score is not None),
        tracks=tracks_of(analysis, labels, scored, moments),
        segments=segments_shown(analysis, labels, scores, corrections),
        corrections=len(corrections),
        lost=lost_corrections(corrections),
        moments=moment_list(moments, may_judge=has_words(call), has_audio=has_audio(call)),
        numbers=numbers_of(analysis, metrics, labels) if metrics else None,
        comments=comments_shown(comments, analysis.duration_s),
        speakers=tuple(_speaker(one, analysis.speakers, labels) for one in analysis.speakers),
        reel=reel_form(analysis, has_audio=has_audio(call)),
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
