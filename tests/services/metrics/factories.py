"""Makes conversations for the tests of metrics: lines of text, each spoken evenly from a start to an end."""

from __future__ import annotations

from dataclasses import dataclass

from app.schemas.conversation import Conversation
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.speaker import Role, Speaker
from app.schemas.transcript import Segment, Word

AGENT, CUSTOMER, THIRD = "speaker_0", "speaker_1", "speaker_2"
ROLES = {AGENT: Role.AGENT, CUSTOMER: Role.CUSTOMER, THIRD: Role.CUSTOMER}


@dataclass(frozen=True)
class Line:
    speaker: str
    start_s: float
    end_s: float
    text: str
    feeling: tuple[float, float] | None = None
    """P(positive) and P(negative)."""


def plain(count: int) -> str:
    """``count`` words that ask nothing and fill nothing."""
    return " ".join(["word"] * count)


def words(text: str, start_s: float, end_s: float) -> tuple[Word, ...]:
    """Each word takes up where the one before it ends."""
    parts = text.split()
    step_s = (end_s - start_s) / len(parts)
    return tuple(
        Word(part, start_s + place * step_s, start_s + (place + 1) * step_s)
        for place, part in enumerate(parts)
    )


def conversation(
    *lines: Line,
    duration_s: float,
    language: str | None = "en",
    roles: dict[str, Role] | None = None,
    loudness: tuple[tuple[float, ...], ...] = (),
    separate_channels: bool = True,
) -> Conversation:
    """Each line is a segment; speakers come in order of appearance, each with the channel of its number."""
    known = ROLES if roles is None else roles
    segments = tuple(
        Segment(
            index,
            line.speaker,
            words(line.text, line.start_s, line.end_s),
            known.get(line.speaker, "unknown"),
        )
        for index, line in enumerate(lines)
    )
    names = list(dict.fromkeys(line.speaker for line in lines))
    return Conversation(
        duration_s=duration_s,
        segments=segments,
        sentiments=tuple(_sentiment(line) for line in lines),
        speakers=tuple(
            Speaker(name, known.get(name, Role.UNKNOWN), channel=int(name[-1]) if separate_channels else None)
            for name in names
        ),
        loudness=loudness,
        separate_channels=separate_channels,
        language=language,
    )


def _sentiment(line: Line) -> Sentiment | None:
    if line.feeling is None:
        return None
    positive, negative = line.feeling
    return Sentiment(SentimentLabel.NEUTRAL, 0.5, positive, 1 - positive - negative, negative)
