"""Makes calls of the examples of rules, each party in a channel of its own, and looks for rules in them."""

from __future__ import annotations

from collections.abc import Sequence

from app.schemas.conversation import Conversation
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.speaker import Role, Speaker
from app.schemas.transcript import Segment
from app.services.coachable.playbook import Said
from app.services.coachable.rules import Finding, RuleSet
from app.services.coachable.view import CallView
from app.services.metrics_service import measure
from tests.services.metrics.factories import words

SPEAKERS = {"agent": "speaker_0", "customer": "speaker_1", "unknown": "speaker_2"}
QUIET_DBFS = -60.0


def said(
    role: str, text: str, start_s: float | None = None, end_s: float | None = None, **more: float
) -> Said:
    return Said.model_validate({"role": role, "text": text, "start_s": start_s, "end_s": end_s, **more})


def conversation_of(parts: Sequence[Said], separate_channels: bool = True) -> Conversation:
    segments: list[Segment] = []
    end_s = -0.5
    for index, part in enumerate(parts):
        start_s = part.start_s if part.start_s is not None else end_s + 0.5
        end_s = part.end_s if part.end_s is not None else start_s + 0.4 * len(part.text.split())
        segments.append(Segment(index, SPEAKERS[part.role], words(part.text, start_s, end_s), part.role))
    duration_s = max(segment.end_s for segment in segments)
    names = sorted({segment.speaker for segment in segments})
    return Conversation(
        duration_s=duration_s,
        segments=tuple(segments),
        sentiments=tuple(_sentiment(part.sentiment) for part in parts),
        speakers=tuple(
            Speaker(SPEAKERS[role], Role(role), channel=channel if separate_channels else None)
            for channel, name in enumerate(names)
            for role in SPEAKERS
            if SPEAKERS[role] == name
        ),
        loudness=tuple(_levels(name, segments, parts, duration_s) for name in names),
        separate_channels=separate_channels,
        language="en",
    )


def view_of(parts: Sequence[Said], separate_channels: bool = True) -> CallView:
    call = conversation_of(parts, separate_channels)
    return CallView(call.segments, measure(call), call.sentiments)


def findings_in(rules: RuleSet, *parts: Said) -> list[Finding]:
    """In order of segments."""
    return [finding for findings in rules.find(view_of(parts)) for finding in findings]


def _sentiment(score: float | None) -> Sentiment | None:
    if score is None:
        return None
    positive, negative = max(score, 0.0) / 5, max(-score, 0.0) / 5
    return Sentiment(SentimentLabel.NEUTRAL, 0.5, positive, 1 - positive - negative, negative)


def _levels(
    speaker: str, segments: Sequence[Segment], parts: Sequence[Said], duration_s: float
) -> tuple[float, ...]:
    levels = [QUIET_DBFS] * (int(duration_s) + 1)
    for segment, part in zip(segments, parts, strict=True):
        if segment.speaker == speaker and part.dbfs is not None:
            for second in range(int(segment.start_s), int(segment.end_s) + 1):
                levels[second] = part.dbfs
    return tuple(levels)
