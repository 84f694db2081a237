"""Rows under a result and the frozen values that they are made from and read back into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row

from app.schemas.analysis import AnalysedSegment, Analysis, Notice
from app.schemas.correction import CorrectText, Edit
from app.schemas.metrics import Metrics
from app.schemas.moment import Evidence, Moment, MomentType, ObjectionSubtype
from app.schemas.reading import Reading
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.speaker import (
    MergeSpeakers,
    NameSpeaker,
    Role,
    RoleSource,
    SetRole,
    Speaker,
    SwapSpeakers,
)
from app.schemas.transcript import Segment, Word

_TYPES = tuple(kind.value for kind in MomentType)
_SUBTYPES = tuple(kind.value for kind in ObjectionSubtype)
WORD_FIELDS = tuple(field.name for field in fields(Word))
"""Their columns have the same names; there are too many words in a call to look each value up by its name."""
_METRICS: TypeAdapter[Metrics] = TypeAdapter(Metrics)
_EDITS: dict[str, TypeAdapter[Edit]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (NameSpeaker, SetRole, SwapSpeakers, MergeSpeakers, CorrectText)
}


def result_values(call_id: str, version: int, analysis: Analysis, now: datetime) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "version": version,
        "status": analysis.status,
        "engines": analysis.engines,
        "degraded": analysis.degraded,
        "warnings": [
            {"stage": notice.stage, "code": notice.code, "message": notice.message}
            for notice in analysis.warnings
        ],
        "failed_stages": list(analysis.failed_stages),
        "language": analysis.language,
        "language_confidence": analysis.language_confidence,
        "duration_s": analysis.duration_s,
        "playbook": analysis.playbook,
        "playbook_revision": analysis.playbook_revision,
        "metrics": analysis.metrics and _METRICS.dump_python(analysis.metrics, mode="json"),
        "loudness": [list(levels) for levels in analysis.loudness],
        "separate_channels": analysis.separate_channels,
        "edits": [],
        "edited_from": None,
        "created_at": now,
    }


def edits_values(edits: tuple[Edit, ...]) -> list[dict[str, Any]]:
    return [
        {"kind": (kind := type(edit).__name__), **_EDITS[kind].dump_python(edit, mode="json")}
        for edit in edits
    ]


def edits_of(row: Row[Any]) -> tuple[Edit, ...]:
    return tuple(
        _EDITS[edit.pop("kind")].validate_python(edit) for edit in [dict(edit) for edit in row.edits]
    )


def speaker_values(result_id: int, speakers: Iterable[Speaker]) -> list[dict[str, Any]]:
    return [
        {
            "result_id": result_id,
            "idx": idx,
            "speaker": speaker.id,
            "role": speaker.role,
            "role_confidence": speaker.role_confidence,
            "role_source": speaker.role_source,
            "name": speaker.name,
            "channel": speaker.channel,
        }
        for idx, speaker in enumerate(speakers)
    ]


def segment_values(result_id: int, part: AnalysedSegment) -> dict[str, Any]:
    segment, feeling = part.segment, part.sentiment
    return {
        "result_id": result_id,
        "idx": segment.index,
        "speaker": segment.speaker,
        "role": segment.role,
        "start_s": segment.start_s,
        "end_s": segment.end_s,
        "text": segment.text,
        "sentiment_label": feeling and feeling.label,
        "sentiment_score": feeling and feeling.score,
        "sentiment_positive": feeling and feeling.positive,
        "sentiment_neutral": feeling and feeling.neutral,
        "sentiment_negative": feeling and feeling.negative,
        "is_coachable": part.is_coachable,
        "coachable_type": part.coachable_type,
        "reading": part.reading and reading_values(part.reading),
    }


def reading_values(reading: Reading) -> dict[str, Any]:
    """Its figures in the order of the vocabulary, which only grows at its end: names would be most of it."""
    return {
        "revision": reading.revision,
        "role": reading.role,
        "types": _figures(_TYPES, reading.types),
        "subtypes": _figures(_SUBTYPES, reading.subtypes),
        "sentiment": reading.sentiment and list(reading.sentiment),
        "clauses": {name: list(span) for name, span in reading.clauses.items()},
    }


def reading_of(values: dict[str, Any]) -> Reading:
    sentiment = values["sentiment"]
    return Reading(
        revision=values["revision"],
        role=values["role"],
        types=_named_figures(_TYPES, values["types"]),
        subtypes=_named_figures(_SUBTYPES, values["subtypes"]),
        sentiment=sentiment and (sentiment[0], sentiment[1], sentiment[2]),
        clauses={name: (span[0], span[1]) for name, span in values["clauses"].items()},
    )


def _figures(names: Iterable[str], figures: Mapping[str, float]) -> list[float | None]:
    return [figures.get(name) for name in names]


def _named_figures(names: Iterable[str], figures: list[float | None]) -> dict[str, float]:
    pairs = zip(names, figures, strict=False)  # an older reading knows fewer names
    return {name: figure for name, figure in pairs if figure is not None}


def word_values(result_id: int, parts: Iterable[AnalysedSegment]) -> Iterator[dict[str, Any]]:
    for part in parts:
        for idx, word in enumerate(part.segment.words):
            yield {
                "result_id": result_id,
                "segment": part.segment.index,
                "idx": idx,
                "text": word.text,
                "start_s": word.start_s,
                "end_s": word.end_s,
                "confidence": word.confidence,
                "space_before": word.space_before,
                "ends_segment": word.ends_segment,
                "channel": word.channel,
                "estimated": word.estimated,
            }


def moment_values(result_id: int, moments: Iterable[Moment]) -> Iterator[dict[str, Any]]:
    for idx, moment in enumerate(moments):
        yield {
            "result_id": result_id,
            "idx": idx,
            "segment": moment.segment,
            "public_id": moment.id,
            "type": moment.type,
            "subtype": moment.subtype,
            "confidence": moment.confidence,
            "source": moment.source,
            "rule": moment.rule,
            "why": moment.why,
            "tip": moment.tip,
            "speaker": moment.speaker,
            "role": moment.role,
            "evidence_text": moment.evidence.text,
            "evidence_start_char": moment.evidence.start_char,
            "evidence_end_char": moment.evidence.end_char,
            "evidence_start_s": moment.evidence.start_s,
            "evidence_end_s": moment.evidence.end_s,
            "evidence_first_word": moment.evidence.first_word,
            "evidence_last_word": moment.evidence.last_word,
        }


def analysis_of(
    row: Row[Any],
    speakers: tuple[Speaker, ...],
    segments: tuple[AnalysedSegment, ...],
    call_moments: tuple[Moment, ...],
) -> Analysis:
    return Analysis(
        duration_s=row.duration_s,
        language=row.language,
        language_confidence=row.language_confidence,
        segments=segments,
        engines=row.engines,
        degraded=row.degraded,
        warnings=tuple(Notice(**notice) for notice in row.warnings),
        playbook=row.playbook,
        playbook_revision=row.playbook_revision,
        failed_stages=tuple(row.failed_stages),
        speakers=speakers,
        metrics=metrics_of(row),
        call_moments=call_moments,
        loudness=tuple(tuple(levels) for levels in row.loudness),
        separate_channels=row.separate_channels,
    )


def metrics_of(row: Row[Any]) -> Metrics | None:
    return None if row.metrics is None else _METRICS.validate_python(row.metrics)


def speaker_of(row: Row[Any]) -> Speaker:
    return Speaker(
        id=row.speaker,
        role=Role(row.role),
        role_confidence=row.role_confidence,
        role_source=RoleSource(row.role_source),
        name=row.name,
        channel=row.channel,
    )


def segment_of(row: Row[Any], words: tuple[Word, ...], moments: tuple[Moment, ...]) -> AnalysedSegment:
    return AnalysedSegment(
        segment=Segment(row.idx, row.speaker, words, row.role),
        sentiment=_sentiment_of(row),
        moments=moments,
        is_coachable=row.is_coachable,
        coachable_type=row.coachable_type,
        reading=None if row.reading is None else reading_of(row.reading),
    )


def _sentiment_of(row: Row[Any]) -> Sentiment | None:
    if row.sentiment_label is None:
        return None
    return Sentiment(
        label=SentimentLabel(row.sentiment_label),
        score=row.sentiment_score,
        positive=row.sentiment_positive,
        neutral=row.sentiment_neutral,
        negative=row.sentiment_negative,
    )


def moment_of(row: Row[Any]) -> Moment:
    return Moment(
        id=row.public_id,
        type=row.type,
        subtype=row.subtype,
        confidence=row.confidence,
        source=row.source,
        rule=row.rule,
        why=row.why,
        tip=row.tip,
        segment=row.segment,
        speaker=row.speaker,
        role=row.role,
        evidence=Evidence(
            text=row.evidence_text,
            start_char=row.evidence_start_char,
            end_char=row.evidence_end_char,
            start_s=row.evidence_start_s,
            end_s=row.evidence_end_s,
            first_word=row.evidence_first_word,
            last_word=row.evidence_last_word,
        ),
    )
