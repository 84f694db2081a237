"""Calls and analyses for tests of the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.db.repositories.calls import CallRepository
from app.db.repositories.claims import ClaimRepository
from app.db.session import Database
from app.schemas.analysis import AnalysedSegment, Analysis, Notice
from app.schemas.call import CallOptions, CallRecord, Claim, Failure, NewCall
from app.schemas.heard import Heard
from app.schemas.moment import Evidence, Moment, MomentType, ObjectionSubtype, moment_id
from app.schemas.reading import Reading
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.speaker import Role, RoleSource, Speaker
from app.schemas.transcript import Segment, Transcript, Turn, Word

T0 = datetime(2026, 2, 21, 9, 30, 15, 123456, tzinfo=UTC)
OWNER = "host-1:4711:a"
FAILURE = Failure("stt_failed", "stt", "the engine gave up", 500)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def new_call(call_id: str = "CALL-001", **changes: Any) -> NewCall:
    values: dict[str, Any] = {
        "fingerprint": "f" * 64,
        "audio_key": f"audio/{call_id}",
        "audio_sha256": "a" * 64,
        "audio_bytes": 3_000_000_000,
        "agent_id": "agent-1",
        "team_id": "team-1",
        "customer_id": "customer-1",
        "options": CallOptions("en", 1, 3, ("Darwix", "Größe & Co")),
        "started_at": T0 - timedelta(hours=1),
        "direction": "inbound",
        "metadata": {"campaign": "spring", "größe": "µ 😀"},
    }
    return NewCall(call_id=call_id, **{**values, **changes})


def analysis(call_id: str = "CALL-001", **changes: Any) -> Analysis:
    """Three segments: one plain, one with two moments, one without sentiment."""
    values: dict[str, Any] = {
        "duration_s": 72.1 / 3,
        "language": "en",
        "language_confidence": 0.1 + 0.2,
        "segments": (
            AnalysedSegment(_segment(0, "Hello there."), None, (), False, None),
            _objection(call_id, 1),
            AnalysedSegment(
                Segment(
                    2,
                    "speaker_0",
                    (Word("你", 9.0, 9.1), Word("好", 9.1, 9.4, 1e-17, False, True, 1)),
                    "agent",
                ),
                Sentiment(SentimentLabel.NEUTRAL, 1 / 3, 1 / 3, 1 / 3, 1 / 3),
                (),
                False,
                None,
            ),
        ),
        "engines": {"stt": "whisper:base", "sentiment": "lexicon", "diarization": "pauses"},
        "degraded": True,
        "warnings": (Notice("stt", "degraded", "no “whisper” here"), Notice("tts", "b", "")),
        "playbook": "default",
        "playbook_revision": "abc123",
        "failed_stages": (),
        "speakers": (
            Speaker("speaker_0", Role.CUSTOMER, 0.1 + 0.2, RoleSource.WORDS, "Zoë “Z”", 1),
            Speaker("speaker_1"),
        ),
        "call_moments": (_dead_air(call_id),),
        "loudness": ((-20.1, -100.0), (-33.3, -1.5)),
        "separate_channels": True,
    }
    return Analysis(**{**values, **changes})


def plain_analysis(call_id: str, kinds: tuple[str, ...], **changes: Any) -> Analysis:
    """One segment with a moment of each of ``kinds``."""
    segment = _segment(0, "It is too expensive.")
    moments = tuple(_moment(call_id, segment, kind, number) for number, kind in enumerate(kinds))
    part = AnalysedSegment(segment, None, moments, bool(moments), kinds[0] if kinds else None)
    return analysis(call_id, **{"segments": (part,), "call_moments": (), **changes})


def long_analysis(segments: int, words_each: int) -> Analysis:
    """As long as it is asked for, with a moment in every tenth segment."""
    parts = []
    for index in range(segments):
        start = float(index)
        words = tuple(
            Word(f"word{number}", start + number / 100, start + (number + 1) / 100, number / words_each)
            for number in range(words_each)
        )
        segment = Segment(index, f"speaker_{index % 2}", words)
        moments = (_moment("LONG", segment, MomentType.HESITATION, index),) if index % 10 == 0 else ()
        feeling = Sentiment(SentimentLabel.POSITIVE, 0.9, 0.9, 0.05, 0.05)
        parts.append(AnalysedSegment(segment, feeling, moments, bool(moments), None))
    return analysis("LONG", segments=tuple(parts), call_moments=(), duration_s=float(segments))


def stored(database: Database, call_id: str = "CALL-001", seconds: float = 0, **changes: Any) -> CallRecord:
    """A queued call that arrived ``seconds`` after T0."""
    with database.session() as session:
        repository = CallRepository(session)
        assert repository.insert(new_call(call_id, **changes), at(seconds))
        record = repository.get(call_id)
        assert record is not None
        return record


def completed(
    database: Database, call_id: str, seconds: float, kinds: tuple[str, ...] = (), **changes: Any
) -> None:
    """A finished call that arrived ``seconds`` after T0, with one moment of each of ``kinds``."""
    stored(database, call_id, seconds, **changes)
    claim = taken(database, call_id, at(seconds))
    with database.session() as session:
        found = plain_analysis(call_id, kinds)
        assert ClaimRepository(session).complete(claim, found, at(seconds + 1), keep_heard=False)


def heard(**changes: Any) -> Heard:
    """A transcript with its turns, and a warning."""
    values: dict[str, Any] = {
        "duration_s": 72.1 / 3,
        "damaged": False,
        "transcript": Transcript(
            (Word("你", 9.0, 9.1), Word("好", 9.1, 9.4, 1e-17, False, True, 1)), "zh", 0.3
        ),
        "engines": {"stt": "whisper:base"},
        "degraded": (Notice("stt", "degraded_engine", "no “whisper” here"),),
        "loudness": ((-20.1, -100.0),),
        "only_channel": 1,
        "turns": (Turn(0, 9.0, 9.4, 1),),
        "notices": (Notice("diarization", "x", "y"),),
    }
    return Heard(**{**values, **changes})


def taken(database: Database, call_id: str, now: datetime = T0, owner: str = OWNER) -> Claim:
    """The claim of ``owner`` on a call, whatever else waits."""
    with database.session() as session:
        return ClaimRepository(session)._claim(call_id, owner, now)[0]


def _segment(index: int, text: str) -> Segment:
    words = text.split()
    start = 4.0 * index
    return Segment(
        index,
        f"speaker_{index % 2}",
        tuple(
            Word(word, start + number / 7, start + (number + 1) / 7, 0.7 + number / 1000)
            for number, word in enumerate(words)
        ),
        "customer",
    )


def _objection(call_id: str, index: int) -> AnalysedSegment:
    segment = _segment(index, "That is too expensive for our budget.")
    later_first = (
        _moment(call_id, segment, MomentType.OBJECTION, 1, subtype=ObjectionSubtype.PRICE),
        _moment(call_id, segment, MomentType.HESITATION, 0),
    )
    feeling = Sentiment(SentimentLabel.NEGATIVE, 0.8700000000000001, 0.03, 0.1, 0.87)
    return AnalysedSegment(segment, feeling, later_first, True, "objection", _reading())


def _reading() -> Reading:
    return Reading(
        revision="r1",
        role="customer",
        types={kind.value: 0.001 * place for place, kind in enumerate(MomentType)},
        subtypes={kind.value: 0.125 for kind in ObjectionSubtype},
        sentiment=(0.03, 0.1, 0.87),
        clauses={"objection": (5, 36)},
    )


def _dead_air(call_id: str) -> Moment:
    return Moment(
        id=moment_id(call_id, "dead_air", 10.0, 16.5),
        type="dead_air",
        subtype=None,
        confidence=0.95,
        source="rule",
        rule="dead_air",
        why="Nobody speaks.",
        tip="Say what you are doing.",
        segment=None,
        speaker=None,
        role="unknown",
        evidence=Evidence("", 0, 0, 10.0, 16.5, 0, 0),
    )


def _moment(call_id: str, segment: Segment, kind: str, number: int, subtype: str | None = None) -> Moment:
    word = segment.words[number % len(segment.words)]
    start_char = segment.text.index(word.text)
    return Moment(
        id=moment_id(call_id, f"{kind}{number}", word.start_s, word.end_s),
        type=kind,
        subtype=subtype,
        confidence=0.64,
        source="rule",
        rule=f"{kind}.plain",
        why="The customer says so.",
        tip="Ask what it is compared with.",
        segment=segment.index,
        speaker=segment.speaker,
        role=segment.role,
        evidence=Evidence(
            word.text, start_char, start_char + len(word.text), word.start_s, word.end_s, number, number
        ),
    )
