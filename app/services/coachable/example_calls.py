"""The examples of rules as calls: what rules find in them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.schemas.conversation import Conversation
from app.schemas.metrics import Metrics
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.speaker import Role, Speaker
from app.schemas.transcript import Segment, Word
from app.services.coachable.playbook import Example, Said, WordsRule
from app.services.coachable.rules import UNKNOWN_ROLE, Finding, RuleSet

_SPEAKERS = {Role.AGENT: "speaker_0", Role.CUSTOMER: "speaker_1", Role.UNKNOWN: "speaker_2"}
_WORD_S = 0.4
_PAUSE_S = 0.5
_QUIET_DBFS = -60.0


def find_in_example(
    rules: RuleSet, rule: WordsRule, example: Example, measure: Callable[[Conversation], Metrics]
) -> list[Finding]:
    """What ``rules`` find in an example of ``rule``.

    A text alone is said by somebody in the rule's role, of unknown role where it is anyone's, and nothing is
    measured on it. ``measure`` makes the metrics of a call.
    """
    from app.services.coachable.view import CallView

    if isinstance(example, str):
        return rules.find_in_text(example, UNKNOWN_ROLE if rule.role == "anyone" else rule.role)
    call = call_of(example)
    found = rules.find(CallView(call.segments, measure(call), call.sentiments))
    return [finding for findings in found for finding in findings]


def call_of(parts: Sequence[Said]) -> Conversation:
    """The call that an example describes: one speaker a role, each in a channel of its own."""
    segments = _segments(parts)
    duration_s = max(segment.end_s for segment in segments)
    roles = list(dict.fromkeys(Role(part.role) for part in parts))
    return Conversation(
        duration_s=duration_s,
        segments=segments,
        sentiments=tuple(_sentiment(part.sentiment) for part in parts),
        speakers=tuple(Speaker(_SPEAKERS[role], role, channel=place) for place, role in enumerate(roles)),
        loudness=tuple(_levels(_SPEAKERS[role], segments, parts, duration_s) for role in roles),
        separate_channels=True,
        language="en",
    )


def _segments(parts: Sequence[Said]) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    for index, part in enumerate(parts):
        start_s = part.start_s
        if start_s is None:
            start_s = segments[-1].end_s + _PAUSE_S if segments else 0.0
        words = part.text.split()
        end_s = part.end_s if part.end_s is not None else start_s + _WORD_S * len(words)
        step_s = (end_s - start_s) / len(words)
        spoken = tuple(
            Word(word, start_s + place * step_s, start_s + (place + 1) * step_s)
            for place, word in enumerate(words)
        )
        segments.append(Segment(index, _SPEAKERS[Role(part.role)], spoken, part.role))
    return tuple(segments)


def _sentiment(score: float | None) -> Sentiment | None:
    if score is None:
        return None
    positive, negative = max(score, 0.0) / 5, max(-score, 0.0) / 5
    chances = {
        SentimentLabel.POSITIVE: positive,
        SentimentLabel.NEUTRAL: 1 - positive - negative,
        SentimentLabel.NEGATIVE: negative,
    }
    label = max(chances, key=lambda label: chances[label])
    return Sentiment(label, chances[label], *chances.values())


def _levels(
    speaker: str, segments: Sequence[Segment], parts: Sequence[Said], duration_s: float
) -> tuple[float, ...]:
    """By second; quiet where no level is given."""
    levels = [_QUIET_DBFS] * (int(duration_s) + 1)
    for segment, part in zip(segments, parts, strict=True):
        if segment.speaker == speaker and part.dbfs is not None:
            first, last = int(segment.start_s), int(segment.end_s)
            levels[first : last + 1] = [part.dbfs] * (last + 1 - first)
    return tuple(levels)
