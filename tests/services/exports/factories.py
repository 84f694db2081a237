"""A small call with everything in it that an export shows, and calls of any segments."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from app.schemas.analysis import AnalysedSegment, Analysis, CallStatus
from app.schemas.call import CallOptions, CallRecord
from app.schemas.moment import Evidence, Moment
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.speaker import Role, RoleSource, Speaker
from app.schemas.transcript import Segment, Word
from app.services.metrics_service import measure
from tests.analyses import moment_in
from tests.services.metrics.factories import words

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ANA = Speaker("speaker_0", Role.AGENT, 1.0, RoleSource.CHANNEL, "Ana", 0)
CUSTOMER = Speaker("speaker_1", Role.CUSTOMER, 1.0, RoleSource.CHANNEL, None, 1)


def record(**changes: object) -> CallRecord:
    stored = CallRecord(
        call_id="CALL-1", status=CallStatus.COMPLETED, fingerprint="f", audio_key="k", audio_sha256="s",
        audio_bytes=10, agent_id="a-7", customer_id=None, options=CallOptions(), started_at=None,
        direction="inbound", metadata={}, created_at=NOON, updated_at=NOON, completed_at=NOON,
        duration_s=20.0,
    )  # fmt: skip
    return replace(stored, **changes)  # type: ignore[arg-type]


def segment(index: int, speaker: Speaker, start_s: float, end_s: float, text: str) -> Segment:
    spoken = tuple(
        replace(word, confidence=0.9, channel=speaker.channel) for word in words(text, start_s, end_s)
    )
    return Segment(index, speaker.id, spoken, speaker.role)


def two_parties() -> Analysis:
    """20 s. The agent speaks 1-4 and 8-10, cutting in on the customer's 4.5-8.5; who ends with 16-18."""
    said = [
        segment(0, ANA, 1.0, 4.0, "Hello, this is Ana."),
        segment(1, CUSTOMER, 4.5, 8.5, "That is far too expensive for our budget."),
        segment(2, ANA, 8.0, 10.0, "I'll send you a quote."),
        segment(3, CUSTOMER, 16.0, 18.0, "Thanks, bye."),
    ]
    feelings = [(0.2, 0.2), (0.1, 0.8), (0.5, 0.1), (0.9, 0.1)]
    labels = [
        SentimentLabel.NEUTRAL,
        SentimentLabel.NEGATIVE,
        SentimentLabel.POSITIVE,
        SentimentLabel.POSITIVE,
    ]
    moments: list[tuple[Moment, ...]] = [
        (),
        (moment_in(said[1], "too expensive", "objection", "price"),),
        (moment_in(said[2], "send you a quote", "next_step"),),
        (),
    ]
    analysis = Analysis(
        duration_s=20.0,
        language="en",
        language_confidence=0.9,
        segments=tuple(
            AnalysedSegment(
                each, Sentiment(label, 0.8, plus, round(1 - plus - minus, 1), minus), found, bool(found), None
            )
            for each, label, (plus, minus), found in zip(said, labels, feelings, moments, strict=True)
        ),
        engines={"stt": "whisper:base", "diarization": "channel", "sentiment": "lexicon"},
        degraded=False,
        speakers=(ANA, CUSTOMER),
        call_moments=(silence(10.0, 16.0),),
        loudness=(tuple(-20.0 - 0.5 * second for second in range(20)), (-30.0,) * 20),
        separate_channels=True,
    )
    return replace(analysis, metrics=measure(analysis.conversation))


def silence(start_s: float, end_s: float) -> Moment:
    return Moment(
        id="m_silence", type="dead_air", subtype=None, confidence=1.0, source="rule", rule="dead-air",
        why="W.", tip="T.", segment=None, speaker=None, role="unknown",
        evidence=Evidence("", 0, 0, start_s, end_s, 0, 0),
    )  # fmt: skip


def spoken(*segments: tuple[str, list[Word]], speakers: tuple[Speaker, ...] = ()) -> Analysis:
    """A call of these speakers' words and nothing else."""
    made = tuple(
        AnalysedSegment(Segment(index, speaker, tuple(said)), None, (), False, None)
        for index, (speaker, said) in enumerate(segments)
    )
    names = dict.fromkeys(speaker for speaker, _ in segments)
    return Analysis(
        duration_s=max((each.segment.end_s for each in made), default=0.0),
        language=None,
        language_confidence=None,
        segments=made,
        engines={},
        degraded=False,
        speakers=speakers or tuple(Speaker(name) for name in names),
    )
