"""Tables of calls and of moments as CSV (RFC 4180, UTF-8), safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from io import StringIO

from app.schemas.call import CallRecord
from app.schemas.digest import CallDigest
from app.schemas.metrics import Metrics, SpeakerSpan
from app.schemas.moment import Moment, MomentType, TimedMomentType
from app.services.exports.participants import Participant, participants_of

Cell = str | int | float | bool | datetime | None

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets take for the start of a formula, some after cutting it off:
https://owasp.org/www-community/attacks/CSV_Injection."""
_ENGINES = ("stt", "diarization", "sentiment")
_TYPES = tuple(kind.value for kind in (*MomentType, *TimedMomentType))

CALL_COLUMNS = (
    "call_id", "status", "created_at", "started_at", "completed_at", "agent_id", "team_id", "customer_id",
    "direction", "language", *(f"{stage}_engine" for stage in _ENGINES), "degraded", "duration_s", "speakers",
    "metrics_version", "share_of_speech", "share_of_call", "agent_talk_s", "customer_talk_s", "overlap_s",
    "silence_s", "non_talk_s", "interactivity", "patience_median_s", "patience_p25_s", "longest_monologue_s",
    "longest_customer_story_s", "agent_interruptions", "customer_interruptions", "agent_words_per_minute",
    "customer_words_per_minute", "agent_questions_per_hour", "customer_questions_per_hour",
    "agent_fillers_per_100_words", "call_sentiment", "call_sentiment_shift", "agent_sentiment",
    "agent_sentiment_shift", "customer_sentiment", "customer_sentiment_shift", "moments", *_TYPES,
)  # fmt: skip
MOMENT_COLUMNS = (
    "call_id", "agent_id", "team_id", "customer_id", "moment_id", "type", "subtype", "confidence", "source",
    "rule", "role", "speaker", "segment", "start_s", "end_s", "evidence", "why", "tip",
)  # fmt: skip


def calls_csv(calls: Iterable[CallDigest]) -> Iterator[str]:
    """Lines of CSV, each with its line end: the heading, then one a call. Times are ISO 8601."""
    yield _line(CALL_COLUMNS)
    for call in calls:
        cells = _call_cells(call)
        yield _line([cells.get(column) for column in CALL_COLUMNS])


def moments_csv(calls: Iterable[CallDigest]) -> Iterator[str]:
    """Lines of CSV, each with its line end: the heading, then one a moment."""
    yield _line(MOMENT_COLUMNS)
    for digest in calls:
        yield from (_line(_moment_cells(digest.call, moment)) for moment in digest.moments)


def _call_cells(digest: CallDigest) -> dict[str, Cell]:
    record = digest.call
    cells: dict[str, Cell] = {
        "call_id": record.call_id,
        "status": record.status.value,
        "created_at": record.created_at,
        "started_at": record.started_at,
        "completed_at": record.completed_at,
        "agent_id": record.agent_id,
        "team_id": record.team_id,
        "customer_id": record.customer_id,
        "direction": record.direction,
        "duration_s": record.duration_s,
    }
    if digest.engines is None:
        return cells
    counts = Counter(moment.type for moment in digest.moments)
    cells |= {"language": digest.language, "degraded": digest.degraded, "moments": len(digest.moments)}
    cells |= {f"{stage}_engine": digest.engines.get(stage) for stage in _ENGINES}
    cells |= {kind: counts[kind] for kind in _TYPES}
    if digest.metrics is not None:
        cells |= _metric_cells(digest.metrics)
        for role, participant in participants_of(digest.metrics).items():
            cells |= _participant_cells(role.value, participant, digest.metrics)
    return cells


def _moment_cells(record: CallRecord, moment: Moment) -> list[Cell]:
    evidence = moment.evidence
    return [
        record.call_id, record.agent_id, record.team_id, record.customer_id, moment.id, moment.type,
        moment.subtype, moment.confidence, moment.source, moment.rule, moment.role, moment.speaker,
        moment.segment, evidence.start_s, evidence.end_s, evidence.text, moment.why, moment.tip,
    ]  # fmt: skip


def _metric_cells(metrics: Metrics) -> dict[str, Cell]:
    patience = metrics.patience
    return {
        "speakers": len(metrics.parties),
        "metrics_version": metrics.metrics_version,
        "share_of_speech": metrics.share_of_speech,
        "share_of_call": metrics.share_of_call,
        "overlap_s": metrics.overlap_s,
        "silence_s": metrics.silence_s,
        "non_talk_s": sum(gap.length_s for gap in metrics.non_talk),
        "interactivity": metrics.interactivity,
        "patience_median_s": patience.median_s if patience else None,
        "patience_p25_s": patience.p25_s if patience else None,
        "longest_monologue_s": _length(metrics.longest_monologue),
        "longest_customer_story_s": _length(metrics.longest_customer_story),
        "agent_fillers_per_100_words": metrics.agent_fillers_per_100_words,
        "call_sentiment": metrics.sentiment.score,
        "call_sentiment_shift": metrics.sentiment.shift,
    }


def _participant_cells(who: str, participant: Participant, metrics: Metrics) -> dict[str, Cell]:
    return {
        f"{who}_talk_s": participant.talk_ms / 1000,
        f"{who}_interruptions": _interruptions(metrics, participant),
        f"{who}_words_per_minute": participant.words_per_minute,
        f"{who}_questions_per_hour": participant.questions_per_hour,
        f"{who}_sentiment": participant.sentiment,
        f"{who}_sentiment_shift": participant.sentiment_shift,
    }


def _length(span: SpeakerSpan | None) -> float | None:
    return None if span is None else span.end_s - span.start_s


def _interruptions(metrics: Metrics, participant: Participant) -> int:
    speakers = {party.speaker for party in participant.parties}
    return sum(each.kind == "interruption" and each.speaker in speakers for each in metrics.interruptions)


def _line(cells: Sequence[Cell]) -> str:
    written = StringIO()
    csv.writer(written, lineterminator="\r\n").writerow([_written(cell) for cell in cells])
    return written.getvalue()


def _written(cell: Cell) -> str:
    """Text that a spreadsheet would run gets an apostrophe before it; a number keeps its sign."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return f"{round(cell, 4) + 0.0:.4f}".rstrip("0").rstrip(".")
    if isinstance(cell, datetime):
        return cell.isoformat()
    text = str(cell)
    unsafe = isinstance(cell, str) and text.startswith(_FORMULA_STARTS)
    return f"'{text}" if unsafe else text
