"""A call in the shape of AWS Transcribe Call Analytics' post-call JSON, for scripts that read that.

Shape and units: https://docs.aws.amazon.com/transcribe/latest/dg/tca-output-batch.html. Offsets and lengths
are milliseconds, sentiment scores lie in [-5, 5], loudness in [0, 100].

Where AWS and this service differ:

- AWS knows two participants. Several speakers of one role are one participant here, and those whose role is
  not known are a third, ``UNKNOWN``: nobody is made an agent for want of a role. A role that nobody has has
  no entry, nor has a quarter in which a participant said nothing that was judged: no score is invented.
- AWS publishes no formula for loudness; here it is the level in dB of full scale plus 100, of every second
  that the segment touches, and in mono recordings that of the one signal.
- ``Confidence`` is "0.0", AWS's own sign for none, where the engine gave none.
- ``LanguageCode`` is ISO 639-1 ("en"): no region is heard.
- Categories are the types of moments; next steps are ``ActionItemsDetected``. Issues and outcomes are not
  told apart. Without metrics there are no characteristics but the duration.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from math import ceil
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from app.schemas.analysis import AnalysedSegment, Analysis
from app.schemas.call import CallRecord
from app.schemas.metrics import Metrics
from app.schemas.moment import Moment, MomentType
from app.schemas.speaker import Speaker
from app.schemas.transcript import Segment, Word
from app.services.exports.participants import ORDER, QUARTERS, Participant, participants_of, to_ms

_QUIETEST_DB = 100.0
_MARKS = ".,;:!?…।،؟。，！？"

Json = dict[str, Any]


def to_aws(record: CallRecord, analysis: Analysis) -> Json:
    """The whole document as plain data, ready for JSON."""
    channels = {speaker.id: speaker.channel for speaker in analysis.speakers}
    return {
        "JobName": record.call_id,
        "JobStatus": "COMPLETED",  # of the job that made this, while the call may be worked on again
        "LanguageCode": analysis.language,
        "Channel": "VOICE",
        "ContentMetadata": {"Output": "Raw"},
        "Participants": _participants(analysis.speakers),
        "Transcript": [
            _segment(record.call_id, analysed, analysis, channels) for analysed in analysis.segments
        ],
        "Categories": _categories(analysis.moments),
        "ConversationCharacteristics": _characteristics(analysis),
    }


def _participants(speakers: Iterable[Speaker]) -> list[Json]:
    taking_part = {speaker.role for speaker in speakers}
    return [{"ParticipantRole": _participant(role)} for role in ORDER if role in taking_part]


def _participant(role: str) -> str:
    return str(role).upper()


def _segment(
    call_id: str, analysed: AnalysedSegment, analysis: Analysis, channels: dict[str, int | None]
) -> Json:
    segment = analysed.segment
    told: Json = {
        "Id": str(uuid5(NAMESPACE_URL, f"{call_id}/{segment.index}")),
        "BeginOffsetMillis": to_ms(segment.start_s),
        "EndOffsetMillis": to_ms(segment.end_s),
        "ParticipantRole": _participant(segment.role),
        "Content": segment.text,
        "Items": [item for word in segment.words for item in _items(word)],
        "LoudnessScores": _loudness(segment, analysis, channels.get(segment.speaker)),
    }
    if analysed.sentiment is not None:
        told["Sentiment"] = analysed.sentiment.label.value
    steps = [moment.evidence for moment in analysed.moments if moment.type == MomentType.NEXT_STEP]
    if steps:
        told["ActionItemsDetected"] = [
            {"CharacterOffsets": {"Begin": step.start_char, "End": step.end_char}} for step in steps
        ]
    return told


def _items(word: Word) -> list[Json]:
    """A word and, apart from it as AWS writes them, the marks at its end."""
    text = word.text.strip()
    if not text:
        return []
    bare = text.rstrip(_MARKS)
    if not any(sign.isalnum() for sign in text):
        return [_item(word, text, "punctuation")]
    if bare == text:
        return [_item(word, text, "pronunciation")]
    return [_item(word, bare, "pronunciation"), _item(word, text[len(bare) :], "punctuation")]


def _item(word: Word, content: str, kind: str) -> Json:
    spoken = kind == "pronunciation"
    confidence = word.confidence if spoken and word.confidence is not None else 0.0
    return {
        "Type": kind,
        "Content": content,
        "Confidence": str(round(confidence, 4)),
        "BeginOffsetMillis": to_ms(word.start_s if spoken else word.end_s),
        "EndOffsetMillis": to_ms(word.end_s),
    }


def _loudness(segment: Segment, analysis: Analysis, channel: int | None) -> list[float]:
    if channel is None:
        channel = segment.words[0].channel
    signal = channel if analysis.separate_channels and channel is not None else 0
    if signal >= len(analysis.loudness):
        return []
    first = int(segment.start_s)
    levels = analysis.loudness[signal][first : max(ceil(segment.end_s), first + 1)]
    return [round(min(max(level + _QUIETEST_DB, 0.0), 100.0), 2) for level in levels]


def _categories(moments: Sequence[Moment]) -> Json:
    by_type = sorted(moments, key=lambda moment: moment.type)
    matched = {
        kind: {"PointsOfInterest": [_stretch(m.evidence.start_s, m.evidence.end_s) for m in found]}
        for kind, found in groupby(by_type, key=lambda moment: moment.type)
    }
    return {"MatchedCategories": list(matched), "MatchedDetails": matched}


def _characteristics(analysis: Analysis) -> Json:
    told: Json = {"TotalConversationDurationMillis": to_ms(analysis.duration_s)}
    if analysis.metrics is None:
        return told
    participants = participants_of(analysis.metrics)
    gaps = [_lasting(gap.start_s, gap.end_s) for gap in analysis.metrics.non_talk]
    return {
        **told,
        "Interruptions": _interruptions(analysis.metrics),
        "NonTalkTime": {"Instances": gaps, "TotalTimeMillis": sum(gap["DurationMillis"] for gap in gaps)},
        "Sentiment": _sentiment(participants.values(), analysis.duration_s),
        "TalkSpeed": {
            "DetailsByParticipant": {
                _participant(role): {"AverageWordsPerMinute": round(participant.words_per_minute)}
                for role, participant in participants.items()
                if participant.words_per_minute is not None
            }
        },
        "TalkTime": {
            "DetailsByParticipant": {
                _participant(role): {"TotalTimeMillis": participant.talk_ms}
                for role, participant in participants.items()
            },
            "TotalTimeMillis": sum(participant.talk_ms for participant in participants.values()),
        },
    }


def _interruptions(metrics: Metrics) -> Json:
    by_role: dict[str, list[Json]] = {}
    for each in metrics.interruptions:
        if each.kind == "interruption":
            found = by_role.setdefault(_participant(metrics.role_of(each.speaker)), [])
            found.append(_lasting(each.start_s, each.end_s))
    every = [each for found in by_role.values() for each in found]
    return {
        "InterruptionsByInterrupter": by_role,
        "TotalCount": len(every),
        "TotalTimeMillis": sum(each["DurationMillis"] for each in every),
    }


def _sentiment(participants: Iterable[Participant], duration_s: float) -> Json:
    overall: dict[str, float] = {}
    quarters: dict[str, list[Json]] = {}
    for participant in participants:
        if participant.sentiment is None:
            continue
        overall[_participant(participant.role)] = round(participant.sentiment, 2)
        quarters[_participant(participant.role)] = [
            {
                **_stretch(duration_s * at / QUARTERS, duration_s * (at + 1) / QUARTERS),
                "Score": round(score, 2),
            }
            for at, score in enumerate(participant.sentiment_quarters)
            if score is not None
        ]
    return {"OverallSentiment": overall, "SentimentByPeriod": {"QUARTER": quarters}}


def _stretch(start_s: float, end_s: float) -> dict[str, int]:
    return {"BeginOffsetMillis": to_ms(start_s), "EndOffsetMillis": to_ms(end_s)}


def _lasting(start_s: float, end_s: float) -> dict[str, int]:
    stretch = _stretch(start_s, end_s)
    return {**stretch, "DurationMillis": stretch["EndOffsetMillis"] - stretch["BeginOffsetMillis"]}
